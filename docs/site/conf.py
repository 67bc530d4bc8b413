"""The documentation as a site: `make docs` builds it into build/docs.

The pages are those of the repository, so the whole checkout is the source folder.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

from toreq_hw.versions import release as _release  # noqa: E402

project = "toreq-hw"
author = "the authors of toreq-hw"
release = version = _release()
language = "en"

root_doc = "docs/index"
include_patterns = [
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/*.md",
    "docs/tutorials/*.md",
    "reports/published/*.md",
]
exclude_patterns = ["build", ".*", "toreq_hw"]

extensions = [
    "docstrings",
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "sphinxcontrib.mermaid",
    "sphinx_copybutton",
]
default_role = "code"
suppress_warnings = [
    "misc.highlighting_failure",  # JSON in pages leaves entries out with "..."
]

nitpicky = True
nitpick_ignore_regex = [
    ("py:.*", r"(numpy|collections|typing|matplotlib|sklearn|torch|pathlib|click)\..*"),
    ("py:.*", r"Axes|AxesImage|\w+\[\w+"),  # matplotlib's; halves of aliases
    ("py:.*", r"toreq_hw\..*"),  # of a module that is not public; links within pages are checked
]
autodoc_typehints = "signature"
autodoc_member_order = "groupwise"

myst_enable_extensions = ["attrs_inline", "colon_fence"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 4

nb_execution_mode = os.environ.get("TOREQ_HW_NOTEBOOKS", "force")
nb_execution_raise_on_error = True
nb_execution_timeout = 3600
nb_execution_in_temp = True

html_theme = "furo"
html_title = f"toreq-hw {release}"

"""What pyproject.toml cannot say: the parts' links, and a README that an index can show."""

import re
import shutil
import tomllib
from pathlib import Path

from setuptools import setup

ROOT = Path(__file__).parent

PARTS = ("boards", "lava_backend", "quant", "reports", "rtl", "sim")
"""As toreq_hw/links.py, which cannot be imported before the package is built."""


def make_links(root: Path) -> None:
    """Puts the parts into the package where an archive or a checkout lacks their links.

    A copy stands in where the system makes no links; git's text file in place of one is replaced.
    """
    for part in PARTS:
        place = root / "toreq_hw" / part
        if place.is_dir():
            continue
        place.unlink(missing_ok=True)
        try:
            place.symlink_to(Path("..", part), target_is_directory=True)
        except OSError:
            shutil.copytree(root / part, place)


def readme_for_an_index(text: str, home: str = "") -> str:
    """The README without what only a checkout can show: pictures, diagrams and relative links.

    home: address of the repository's files (`Source` in pyproject.toml, where one is public);
    links then lead there. Else the name of the file stands behind the words of the link.
    """
    text = re.sub(r"^!\[[^\]]*\]\((?!https?:)[^)]*\)\n+(?:\*[^*]+\*\n+)?", "", text, flags=re.M)
    text = re.sub(r"^```mermaid\n.*?^```\n+", "", text, flags=re.M | re.S)
    text = re.sub(r"^(```sh) \w+$", r"\1", text, flags=re.M)

    def link(match: re.Match[str]) -> str:
        words, target = match.groups()
        if home:
            return f"[{words}]({home.rstrip('/')}/{target})"
        return words if words == target else f"{words} (`{target}`)"

    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)]+)\)", link, text)


if __name__ == "__main__":
    make_links(ROOT)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    setup(
        long_description=readme_for_an_index(readme, project.get("urls", {}).get("Source", "")),
        long_description_content_type="text/markdown",
    )

"""What setup.py makes: links of the parts, and a README that an index can show."""

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

from toreq_hw.links import PARTS, check_links

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def setup() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build_script", ROOT / "setup.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def archive(folder: Path) -> Path:
    """Folders as an archive has them: the parts at the top, and a package without links."""
    for name in (*PARTS, "toreq_hw"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("", encoding="utf-8")
    return folder


def test_the_build_knows_the_parts(setup: ModuleType) -> None:
    assert setup.PARTS == PARTS
    pruned = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    assert all(f"prune toreq_hw/{part}\n" in pruned for part in PARTS)


def test_an_archive_gets_its_links(setup: ModuleType, tmp_path: Path) -> None:
    setup.make_links(archive(tmp_path))
    check_links(tmp_path / "toreq_hw")
    assert (tmp_path / "toreq_hw/sim").readlink() == Path("../sim")


def test_a_text_file_of_git_gives_way_to_a_link(setup: ModuleType, tmp_path: Path) -> None:
    archive(tmp_path)
    (tmp_path / "toreq_hw/rtl").write_text("../rtl", encoding="utf-8")
    setup.make_links(tmp_path)
    check_links(tmp_path / "toreq_hw")


def test_without_links_a_copy_stands_in(
    setup: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError("links need a right that is not there")

    monkeypatch.setattr(os, "symlink", refuse)
    setup.make_links(archive(tmp_path))
    assert not (tmp_path / "toreq_hw/sim").is_symlink()
    assert (tmp_path / "toreq_hw/sim/__init__.py").is_file()


README = """# Name

![A film](docs/film.gif)

*What it shows: [a page](docs/page.md).*

Read [the page](docs/page.md#part) and [a site](https://example.org/x).

```mermaid
flowchart LR
```

```sh own
toreq-hw --help
```
"""


def test_a_readme_survives_on_an_index(setup: ModuleType) -> None:
    text = setup.readme_for_an_index(README)
    assert text.splitlines()[2] == (
        "Read the page (`docs/page.md#part`) and [a site](https://example.org/x)."
    )
    assert "film" not in text
    assert "mermaid" not in text
    assert "```sh\ntoreq-hw --help" in text


def test_links_lead_to_the_public_home_where_there_is_one(setup: ModuleType) -> None:
    text = setup.readme_for_an_index(README, "https://example.org/code/")
    assert "[the page](https://example.org/code/docs/page.md#part)" in text


def test_nothing_relative_is_left_of_our_own(setup: ModuleType) -> None:
    text = setup.readme_for_an_index((ROOT / "README.md").read_text(encoding="utf-8"))
    assert "](docs/" not in text
    assert "![" not in text

"""One version: changelog, citation, package and tags agree; no commit changes what records say."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from toreq_hw import versions

ROOT = Path(__file__).parents[2]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
RELEASES = re.findall(r"^## (\d+\.\d+\.\d+) \(\d{4}-\d\d-\d\d\)$", CHANGELOG, re.MULTILINE)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FRAGMENT = re.compile(r"\+[a-z0-9-]+\.(added|changed|fixed|removed)\.md")


def test_citation_and_package_name_the_newest_release() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert RELEASES
    assert f"\nversion: {RELEASES[0]}\n" in citation
    assert PROJECT["tool"]["setuptools_scm"]["fallback_version"] == RELEASES[0]


def test_the_newest_tag_is_the_newest_release() -> None:
    listed = ["git", "tag", "--list", "v*", "--sort=-version:refname", "--merged"]
    tags = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not tags or tags.split()[0] == f"v{RELEASES[0]}"


def test_the_installed_version_follows_the_newest_release() -> None:
    assert versions.release() in (RELEASES[0], f"{RELEASES[0]}.post1")


@pytest.mark.parametrize(
    ("found", "kept"),
    [
        ("0.1.0", "0.1.0"),
        ("0.1.0.post1.dev709+g25d385660", "0.1.0.post1"),
        ("0.1.0.post1.dev710+g1234567.d20261130", "0.1.0.post1"),
        ("1.2.3+g1234567.d20261130", "1.2.3"),
    ],
)
def test_records_hold_what_no_commit_changes(
    found: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "version", lambda name: found if name == "toreq-hw" else "1")
    assert versions.installed() == found
    assert versions.release() == kept
    assert versions.versions()["toreq-hw"] == kept


def test_kept_work_does_not_rest_on_a_written_version() -> None:
    """A file with the version in it would give each commit another digest of the code."""
    assert "version_file" not in PROJECT["tool"]["setuptools_scm"]
    init = (ROOT / "toreq_hw/__init__.py").read_text(encoding="utf-8")
    assert not re.search(r"^__version__ =", init, re.MULTILINE)


def test_fragments_are_named_as_towncrier_reads_them() -> None:
    kinds = {kind["directory"] for kind in PROJECT["tool"]["towncrier"]["type"]}
    assert kinds == {"added", "changed", "fixed", "removed"}
    for path in (ROOT / "changes").iterdir():
        ignored = path.name in PROJECT["tool"]["towncrier"]["ignore"]
        assert ignored or FRAGMENT.fullmatch(path.name), path.name

"""`make wheel-test`: archive and wheel are whole, and work in empty environments.

TOREQ_HW_WHEEL_PYTHONS: interpreters to try, separated as in PATH; else those of 3.11 to 3.13 that
are found. Those that are missing are named at the end, in capitals.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes
from email.message import Message
from pathlib import Path

from toreq_hw.links import PARTS

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build/wheel"
TAG = "8.7.6"
"""Of the repository that the archive is made in: the version must come from there."""
NOT_SHIPPED = ("reports/published/",)
NOT_ARCHIVED = {".gitattributes", ".git_archival.txt"}
PYTHONS = ("3.11", "3.12", "3.13")


def main() -> None:
    """Raises AssertionError, or CalledProcessError, for an archive or a wheel that is not whole."""
    shutil.rmtree(WORK, ignore_errors=True)
    source = tagged_copy(WORK / "source")
    _run(sys.executable, "-m", "build", "--sdist", "--outdir", str(WORK), str(source))
    (archive,) = WORK.glob("*.tar.gz")
    check_archive(archive)
    # The wheel is made from the archive alone, where git is not at hand.
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(WORK), str(archive))
    (wheel,) = WORK.glob("*.whl")
    check_wheel(wheel)
    _run(sys.executable, "-m", "twine", "check", "--strict", str(wheel), str(archive))
    missing = []
    for version in PYTHONS:
        program = find(version)
        if program is None:
            missing.append(version)
            continue
        print(f"Python {version}: {program}", flush=True)  # noqa: T201
        script = str(ROOT / "testbench/empty_environment.py")
        extent = ["demo"] if version == f"{sys.version_info[0]}.{sys.version_info[1]}" else []
        place = WORK / f"python{version}"
        subprocess.run([program, script, str(wheel), str(place), *extent], cwd=WORK, check=True)
    assert len(missing) < len(PYTHONS), "one Python must be found"
    for version in missing:
        print(f"PYTHON {version} IS NOT HERE: THE WHEEL WAS NOT TRIED THERE", flush=True)  # noqa: T201


def tagged_copy(place: Path) -> Path:
    """What git keeps, in a repository of its own: leftovers of earlier builds must not help."""
    for name in _kept():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place / name, follow_symlinks=False)
    git = ("git", "-C", str(place), "-c", "user.name=test", "-c", "user.email=test@localhost")
    _run(*git, "init", "--quiet")
    _run(*git, "add", "--force", ".")
    _run(*git, "commit", "--quiet", "--no-verify", "-m", "as it stands")
    _run(*git, "tag", f"v{TAG}")
    return place


def check_archive(path: Path) -> None:
    """Every file that git keeps is there once, the parts' links aside, with the tag's version."""
    with tarfile.open(path) as archive:
        members = archive.getmembers()
        links = [one.name for one in members if one.issym() or one.islnk()]
        root = path.name.removesuffix(".tar.gz")
        held = {one.name.removeprefix(f"{root}/") for one in members if one.isfile()}
        about = archive.extractfile(f"{root}/PKG-INFO")
        assert about is not None
        check_about(message_from_bytes(about.read()))
    needed = {name for name in _kept() if not (ROOT / name).is_symlink()} - NOT_ARCHIVED
    assert not needed - held, f"the archive must hold {sorted(needed - held)}"
    twice = sorted(name for name in held if name.startswith(tuple(f"toreq_hw/{p}/" for p in PARTS)))
    odd = (links + twice)[:5]
    assert not odd, f"the archive must hold each part once, without links, found {odd}"


def check_wheel(path: Path) -> None:
    """Every file of the package is there, and nothing else."""
    with zipfile.ZipFile(path) as wheel:
        held = set(wheel.namelist())
        (about,) = [name for name in held if name.endswith(".dist-info/METADATA")]
        check_about(message_from_bytes(wheel.read(about)))
    missing = sorted(_needed() - held)
    assert not missing, f"the wheel must hold {missing}"
    stray = sorted(name for name in held if not name.startswith(("toreq_hw/", about.split("/")[0])))
    assert not stray, f"the wheel must hold the package alone, found {stray[:5]}"


def check_about(about: Message) -> None:
    """The version is the tag's; the description has no link that only a checkout can follow."""
    assert about["Version"] == TAG, f"the version must be {TAG}, found {about['Version']}"
    text = about.get_payload()
    assert isinstance(text, str)
    wrong = [part for part in ("](docs/", "](reports/", "![", "```mermaid") if part in text]
    assert not wrong, f"the README of an index must have no {wrong}"
    assert "equilibrium propagation" in text


def find(version: str) -> str | None:
    """An interpreter of this version: one that is named, this one, or one on the path."""
    named = os.environ.get("TOREQ_HW_WHEEL_PYTHONS", "")
    given = [one for one in named.split(os.pathsep) if one]
    for program in given or [sys.executable, f"python{version}"]:
        place = shutil.which(program)
        code = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
        done = place and subprocess.run(
            [place, "-c", code], stdout=subprocess.PIPE, encoding="utf-8", check=False
        )
        if done and done.returncode == 0 and done.stdout.strip() == version:
            return place
    return None


def _needed() -> set[str]:
    """Every file of the package and its parts that git keeps, by its name in a wheel."""
    return {
        name if name.startswith("toreq_hw/") else f"toreq_hw/{name}"
        for name in _kept()
        if name.split("/")[0] in (*PARTS, "toreq_hw")
        and not name.startswith(NOT_SHIPPED)
        and not (ROOT / name).is_symlink()
    }


def _kept() -> list[str]:
    """Every file that git keeps, but those that were just removed."""
    names = _run("git", "-C", str(ROOT), "ls-files").splitlines()
    return [name for name in names if (ROOT / name).exists() or (ROOT / name).is_symlink()]


def _run(*command: str) -> str:
    """Standard output of a command that must succeed, in a folder outside the package."""
    WORK.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        command, cwd=WORK, stdout=subprocess.PIPE, encoding="utf-8", check=True
    ).stdout


if __name__ == "__main__":
    main()

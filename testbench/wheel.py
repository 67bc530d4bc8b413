"""`make wheel-test`: a wheel holds every file that is needed and works outside the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from toreq_hw.links import PARTS

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build/wheel"
NOT_SHIPPED = ("reports/published/",)

NETWORK = """
from toreq_hw import network
from toreq_hw.lava_backend.mapper import load_chip
from toreq_hw.network import WeightFormat
net = network.layered((64, 8, 10), WeightFormat.TERNARY, (4, 4))
network.save(net, __import__("pathlib").Path("net.safetensors"))
load_chip("loihi2")
print(__import__("toreq_hw").__file__)
"""


def main() -> None:
    """Raises AssertionError, or CalledProcessError, for a wheel that is not whole."""
    shutil.rmtree(WORK, ignore_errors=True)
    source = WORK / "source"  # an earlier build's leftovers in the checkout must not help
    for name in _kept():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, source / name, follow_symlinks=False)
    _run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(WORK), str(source))
    (wheel,) = WORK.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    missing = sorted(_needed() - held)
    assert not missing, f"the wheel must hold {missing}"
    _run(sys.executable, "-m", "venv", str(WORK / "venv"))
    program = WORK / "venv/bin/python"
    _run(str(program), "-m", "pip", "install", "-q", "--no-deps", str(wheel))
    (home,) = (WORK / "venv").glob("lib/python*/site-packages")
    # What the package needs comes from this environment, without its own link to the checkout.
    needs = [entry for entry in sys.path if Path(entry).name == "site-packages"]
    (home / "needs.pth").write_text("\n".join(needs) + "\n", encoding="utf-8")
    place = Path(_run(str(program), "-c", NETWORK).strip())
    assert place.is_relative_to(home), f"the installed package must be used, found {place}"
    command = str(WORK / "venv/bin/toreq-hw")
    simulate = ("simulate", "net.safetensors", "--engine", "reference", "--samples", "3")
    for arguments in (("--version",), ("deploy", "--list-targets"), simulate):
        sys.stdout.write(_run(command, *arguments))


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

"""What differs between machines has a substitute: Linux's own calls, a home, links, extras."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import numpy as np
import platformdirs
import pytest

import toreq_hw
from toreq_hw import extras, machine
from toreq_hw.commands import main
from toreq_hw.errors import CheckoutError
from toreq_hw.links import PARTS, check_links
from toreq_hw.versions import versions

ROOT = Path(__file__).parents[2]


def test_processors_without_linux_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    assert machine.processors() >= 1
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert machine.processors() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.processors() == 1


def test_load_average_where_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def unobtainable() -> None:
        raise OSError

    monkeypatch.setattr(os, "getloadavg", unobtainable, raising=False)
    assert machine.load_average() is None
    monkeypatch.delattr(os, "getloadavg")
    assert machine.load_average() is None


def _homeless(_name: str) -> Path:
    raise RuntimeError("could not determine the home directory")


@pytest.mark.parametrize("found", [_homeless, lambda _name: Path("~/.cache/toreq-hw")])
def test_a_user_without_a_home_has_no_cache(
    found: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(platformdirs, "user_cache_path", found)
    monkeypatch.chdir(tmp_path)
    assert not machine.writable(machine.cache_folder() / "compiled")
    assert not list(tmp_path.iterdir())


BORROWING = """
import os, sys
from toreq_hw import machine
machine.lend_caches()
import matplotlib.font_manager
print(os.environ.get("MPLCONFIGDIR"), os.environ.get("YOWASP_CACHE_DIR"))
"""


def test_other_packages_borrow_a_cache_where_there_is_no_home(tmp_path: Path) -> None:
    given = {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "PATH": os.environ["PATH"]}
    for home, borrowed in ((tmp_path / "home", False), (Path("/dev/null"), True)):
        done = subprocess.run(
            [sys.executable, "-c", BORROWING],
            env={**given, "HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        names = done.stdout.split()
        assert all(name.startswith(f"{tmp_path}/toreq-hw-") for name in names) == borrowed
        assert not list(tmp_path.glob("toreq-hw-*")), "removed at the end"


KERNEL = """
import subprocess, sys
from toreq_hw.compilation import njit
def _twice(value):
    return 2 * value
twice = njit(_twice, "test")
assert twice(21) == 42
if len(sys.argv) > 1:
    subprocess.run([sys.executable, __file__], check=True)
"""


def compile_twice(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Compiles a kernel in a process and in one that it starts, as commands with workers do."""
    program = folder / "kernel.py"
    program.write_text(KERNEL, encoding="utf-8")
    hidden = ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    given = {name: value for name, value in os.environ.items() if name not in hidden}
    return subprocess.run(
        [sys.executable, program, "again"],
        env={**given, "PYTHONPATH": str(ROOT), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("places", [{"HOME": "/dev/null"}, {"NUMBA_CACHE_DIR": "/dev/null/numba"}])
def test_kernels_compile_without_a_cache_and_say_so_once(
    places: dict[str, str], tmp_path: Path
) -> None:
    done = compile_twice(tmp_path, **places)
    assert done.returncode == 0, done.stderr
    (line,) = done.stderr.splitlines()
    assert "cannot be written to: compiling without a cache" in line
    assert "NUMBA_CACHE_DIR" in line
    assert {path.name for path in tmp_path.iterdir()} == {"kernel.py"}


def test_kernels_are_kept_where_they_can_be(tmp_path: Path) -> None:
    done = compile_twice(tmp_path, NUMBA_CACHE_DIR=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert list((tmp_path / "compiled/test").rglob("*.nbi"))


@pytest.fixture
def package(tmp_path: Path) -> Path:
    for part in PARTS:
        (tmp_path / part).mkdir()
    return tmp_path


def test_parts_are_all_there(package: Path) -> None:
    check_links(package)
    check_links(ROOT / "toreq_hw")
    assert {p.name for p in (ROOT / "toreq_hw").iterdir() if p.is_symlink()} <= set(PARTS)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("found", ["a text file", "nothing"])
def test_a_checkout_without_links_says_what_to_do(
    part: str,
    found: str,
    package: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (package / part).rmdir()
    if found != "nothing":
        (package / part).write_text(f"../{part}", encoding="utf-8")
    with pytest.raises(CheckoutError, match=f"{part} must be a folder or a link .* found {found}"):
        check_links(package)
    monkeypatch.setattr(toreq_hw, "__file__", str(package / "__init__.py"))
    with pytest.raises(SystemExit) as ended:
        main(["simulate", "x"])
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "git clone -c core.symlinks=true" in line
    with pytest.raises(ImportError, match=r"core\.symlinks=true"):
        toreq_hw.__getattr__(part)


def test_hints_name_a_command_that_works_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "checkout"
    (root / "toreq_hw").mkdir(parents=True)
    monkeypatch.setattr(toreq_hw, "__file__", str(root / "toreq_hw/__init__.py"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "environment"))
    installed = extras.install_command("quant"), extras.install_command(extras.LAVA)
    assert installed[0] == "pip install 'toreq-hw[quant]'"
    assert installed[1].startswith("pip install 'toreq-hw[nengo]' && pip install --no-deps ")
    (root / "Makefile").touch()
    (root / "pyproject.toml").touch()
    assert extras.install_command("quant") == "pip install 'toreq-hw[quant]'"

    def absent(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(extras, "distribution", absent)
    assert extras.install_command("quant") == f"pip install -e '{root}[quant]'"
    monkeypatch.setattr(sys, "prefix", str(root / ".venv"))
    assert extras.install_command("quant") == "make .venv/extra-quant"
    assert extras.install_command(extras.LAVA) == "make .venv/lava"
    assert str(extras.missing("ONNX", "onnx", "quant")) == (
        "ONNX must have onnx installed; run: make .venv/extra-quant"
    )


def test_a_process_that_has_done_nothing_yet_knows_its_blas() -> None:
    probe = "from toreq_hw.versions import blas; print(blas())"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == versions()["blas"]


def test_records_say_which_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    np.ones((2, 2)) @ np.ones((2, 2))
    assert versions()["blas"]
    loaded = [
        {"user_api": "blas", "internal_api": "openblas", "version": "0.3", "architecture": "Zen"},
        {"user_api": "blas", "internal_api": "mkl", "version": "2024"},
        {"user_api": "openmp", "internal_api": "openmp", "version": None},
    ]
    monkeypatch.setattr("threadpoolctl.threadpool_info", lambda: loaded)
    assert versions()["blas"] == "mkl 2024, openblas 0.3 Zen"
    monkeypatch.setattr("threadpoolctl.threadpool_info", list)
    assert versions()["blas"].split(), "what numpy was built with"

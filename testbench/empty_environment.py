"""A wheel in an environment that holds nothing else, of the Python that runs this.

python3.12 testbench/empty_environment.py WHEEL FOLDER [demo]. Needs nothing but Python: it also
runs where this package cannot be imported. Raises AssertionError where the wheel fails.
"""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import urllib.request
import venv
from pathlib import Path

TARGETS = r"\bmake (?:-C )?[a-z.]"
"""A hint that names a target of the checkout's Makefile, which a wheel does not have."""

NETWORK = """
from pathlib import Path
from toreq_hw import network
from toreq_hw.network import WeightFormat
network.save(network.layered((64, 8, 10), WeightFormat.TERNARY, (4, 4)), Path("net.safetensors"))
print(__import__("toreq_hw").__file__)
"""


class Environment:
    """An environment in a folder of its own, made from scratch. log: of every command's output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log: list[str] = []
        venv.create(folder / "venv", with_pip=True, clear=True)
        self.home = folder / "venv/bin"

    def install(self, *what: str) -> None:
        """Installs from files and from the package index that pip is set up for."""
        self.run("python", "-m", "pip", "install", "--quiet", *what)

    def run(self, program: str, *arguments: str, status: int = 0) -> str:
        """What a program of the environment prints. Raises AssertionError for another status."""
        begin = time.perf_counter()
        done = subprocess.run(
            [str(self.home / program), *arguments],
            cwd=self.folder,
            env=self._variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            check=False,
        )
        shown = " ".join([program, *(one if len(one) < 60 else "..." for one in arguments)])
        print(f"  {time.perf_counter() - begin:5.1f} s  {shown}", flush=True)  # noqa: T201
        assert done.returncode == status, f"{shown} ended with {done.returncode}:\n{done.stdout}"
        if program == "toreq-hw":
            self.log.append(f"{shown}\n{done.stdout}")
        return done.stdout

    def observe(self) -> None:
        """Serves the Observatory, reads its page, and ends it as Ctrl-C does."""
        command = [str(self.home / "toreq-hw"), "observe", "net.safetensors", "--no-browser"]
        with subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        ) as server:
            assert server.stdout is not None
            said = ""
            while not (address := re.search(r"http://[\w.:]+\S*", said)):
                ready, _, _ = select.select([server.stdout], [], [], 1)
                line = server.stdout.readline() if ready else ""
                assert line or server.poll() is None, f"observe ended:\n{said}"
                said += line
            with urllib.request.urlopen(address[0].rstrip(".,")) as page:
                assert b"<canvas" in page.read()
            server.send_signal(signal.SIGINT)
            said += server.stdout.read()
        assert server.returncode == 130, f"observe ended with {server.returncode}:\n{said}"
        self.log.append(f"observe\n{said}")

    def _variables(self) -> dict[str, str]:
        kept = ("HOME", "LANG", "TMPDIR")
        names = [name for name in os.environ if name in kept or name.startswith("PIP_")]
        path = f"{self.home}{os.pathsep}{os.defpath}"
        return {**{name: os.environ[name] for name in names}, "PATH": path}


def hinted(text: str) -> list[str]:
    """Arguments of `pip install` in the command that an error says to run."""
    found = re.search(r"run: pip install '(toreq-hw\[[a-z]+\])'", text)
    assert found, f"the error must say what to install, found: {text}"
    return [found[1]]


def try_wheel(wheel: Path, folder: Path, *, demo: bool) -> None:
    """Installs the wheel alone and runs what needs no extra, then each extra by its own hint."""
    environment = Environment(folder)
    run = environment.run
    environment.install(str(wheel))
    place = Path(run("python", "-c", NETWORK).strip())
    assert place.is_relative_to(folder), f"the installed package must be used, found {place}"
    version = run("toreq-hw", "--version").split()[-1]
    assert version == wheel.name.split("-")[1], f"{version} must be the version of {wheel.name}"
    run("toreq-hw", "--help")
    run("toreq-hw", "simulate", "net.safetensors", "--engine", "reference", "--samples", "3")
    run("toreq-hw", "deploy", "--list-targets")
    missing = {
        "rtl": run("toreq-hw", "rtl", "net.safetensors", status=2),
        "observe": run("toreq-hw", "observe", "net.safetensors", "--no-browser", status=2),
        "deploy": run("toreq-hw", "deploy", "net.safetensors", "--target", "nengo", status=2),
    }
    for output in missing.values():
        environment.install(*hinted(output))
    run("toreq-hw", "rtl", "net.safetensors", "--out", "core")
    assert "module" in next(folder.glob("core/*.v")).read_text(encoding="utf-8")
    environment.observe()
    samples = ("--samples", "2", "--json", "deployed.json")
    run("toreq-hw", "deploy", "net.safetensors", "--target", "nengo", *samples)
    deployed = json.loads((folder / "deployed.json").read_text(encoding="utf-8"))
    assert deployed["passed"] is True
    assert deployed["versions"]["toreq-hw"] == re.split(r"\.dev|\+", version)[0]
    if demo:
        run("toreq-hw", "demo", "--out", "demo")
        run("toreq-hw", "report", "demo")
    untrue = [entry for entry in environment.log if re.search(TARGETS, entry)]
    assert not untrue, f"a wheel has no Makefile, found a hint of one:\n{untrue[0]}"


if __name__ == "__main__":
    try_wheel(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), demo="demo" in sys.argv[3:])

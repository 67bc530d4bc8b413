"""Every command where no extra is installed: it does its work, or says in one line what to run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from toreq_hw import extras, network
from toreq_hw.commands import _COMMANDS
from toreq_hw.extras import _EXTRA_OF, missing_for
from toreq_hw.network import WeightFormat

LINES = """
rtl net.safetensors --out core
rtl net.safetensors --out core --package
rtl net.safetensors --out core --bus axi --package
rtl net.safetensors --out core --wave 0
rtl net.safetensors --out core --learning
synth net.safetensors --board icebreaker
synth net.safetensors --board icebreaker --seeds 1 --learning
boards
host net.safetensors --board icebreaker --out host
export net.safetensors --out net.onnx
export net.safetensors --out net.onnx --format qonnx
import net.onnx --out imported.safetensors
quantize net.onnx --out quantized.safetensors
info net.safetensors
info net.onnx
train --epochs 1 --hidden 4 --engine torch --out trained.safetensors
train --epochs 1 --hidden 4 --out trained.safetensors
observe net.safetensors --no-browser
deploy net.safetensors --target sim --samples 1
deploy net.safetensors --target rtl --samples 1
deploy net.safetensors --target loihi --samples 1
deploy net.safetensors --target loihi --third-party --samples 1
deploy net.safetensors --target nengo --samples 1
deploy net.safetensors --target nengo-loihi --samples 1
deploy net.safetensors --target nir --samples 1
deploy net.safetensors --target icebreaker --port sim --samples 1
deploy net.safetensors --list-targets
simulate net.safetensors --samples 2
lazy net.safetensors --samples 2 --out lazy
cosine net.safetensors --samples 2
inject net.safetensors --layer dead_neurons --levels 0 --samples 2 --trials 2 --scheduler tcp://h:1
replay net.safetensors map.json --make dead_neurons=0.1 --on rtl --samples 1
parity --quick
reports --only digits --out reports
models list
report .
study
"""
"""Command lines that reach each import of an extra. Some are refused for another reason."""

_PROGRAM = """
import contextlib, io, json, shlex, sys, traceback
from importlib.machinery import PathFinder
absent = set(json.loads(sys.argv[1]))
class Present:
    find_distributions = PathFinder.find_distributions
    invalidate_caches = PathFinder.invalidate_caches
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in absent:
            return None
        return PathFinder.find_spec(name, path, target)
sys.meta_path = [Present if one is PathFinder else one for one in sys.meta_path]
from toreq_hw import commands
done = []
for line in json.loads(sys.argv[2]):
    said = io.StringIO()
    sys.argv[1:] = words = shlex.split(line)
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(said):
        try:
            commands.main(words)
        except SystemExit as end:
            status = end.code or 0
        except BaseException:
            status = 1
            traceback.print_exc()
    done.append((line, status, said.getvalue()))
json.dump(done, open("done.json", "w"))
"""


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[str, int, str]]:
    folder = tmp_path_factory.mktemp("bare")
    made = network.layered((64, 4, 10), WeightFormat.TERNARY, (4, 4))
    network.save(made, folder / "net.safetensors")
    (folder / "net.onnx").write_bytes(b"\x08\x08\x12\x04toreq")
    path = os.pathsep.join([str(Path(extras.__file__).parents[1]), *sys.path])
    subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps(sorted(_EXTRA_OF)), json.dumps(_lines())],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        check=True,
    )
    return [tuple(one) for one in json.loads((folder / "done.json").read_text())]


def _lines() -> list[str]:
    return LINES.strip().splitlines()


def test_no_command_shows_a_traceback(done: list[tuple[str, int, str]]) -> None:
    for line, status, said in done:
        assert "Traceback" not in said, f"{line}:\n{said}"
        assert status in (0, 2), f"{line} ended with {status}: {said}"
        assert "No module named" not in said, f"{line}: {said}"


@pytest.mark.parametrize("line", [x for x in _lines() if "--package" in x or "--engine torch" in x])
def test_it_names_what_to_install(done: list[tuple[str, int, str]], line: str) -> None:
    status, said = next((status, said) for one, status, said in done if one == line)
    assert status == 2
    assert len(said.strip().splitlines()) == 1
    assert " installed; run: " in said, said


def test_lines_are_of_commands_that_there_are() -> None:
    assert {line.split()[0] for line in _lines()} <= set(_COMMANDS)


def test_an_absent_package_of_no_extra_keeps_its_traceback() -> None:
    assert missing_for("toreq-hw rtl", ModuleNotFoundError("x", name="numpy")) is None
    error = missing_for("toreq-hw rtl", ModuleNotFoundError("x", name="amaranth.hdl"))
    assert "toreq-hw rtl must have amaranth installed; run:" in str(error)

"""The examples of the core run, with a small network."""

from pathlib import Path

import numpy as np

from examples.generate_rtl import run as generate
from examples.simulate_rtl import run as simulate
from testbench.networks import with_random_weights
from testbench.rtl.simulate import RUNS
from toreq_hw.network import Network, WeightFormat, layered


def small() -> Network:
    blank = layered((64, 6, 10), WeightFormat.TERNARY, (4, 3), state_bits=4)
    return with_random_weights(blank, np.random.default_rng(1))


def test_generate(tmp_path: Path) -> None:
    files = generate(small(), tmp_path)
    assert files.network == small().sha256
    assert "module toreq_core" in (tmp_path / "core.v").read_text(encoding="utf-8")
    assert {Path(path).name for path in files.files.values()} == {
        path.name for path in tmp_path.iterdir()
    }


def test_simulate() -> None:
    found = simulate(small(), 3, RUNS / "example")
    assert len(found.classes) == 3
    assert found.costs["cycles"].min() > 0

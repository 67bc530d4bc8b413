"""The example that builds a bitstream runs, with a small network."""

from pathlib import Path

import numpy as np
import pytest

from examples.synthesise import run
from testbench.networks import with_random_weights
from toreq_hw.network import WeightFormat, layered


def test_synthesise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    blank = layered((64, 6, 10), WeightFormat.TERNARY, (4, 3), state_bits=4)
    record = run(with_random_weights(blank, np.random.default_rng(1)), tmp_path / "out", lanes=2)
    assert record.met
    assert record.resources.lut4 > 100
    assert (tmp_path / "out" / record.bitstream.file).stat().st_size > 0

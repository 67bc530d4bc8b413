"""`build` takes the words of a TOML description, and refuses others in one line."""

from pathlib import Path
from typing import Any

import pytest

from toreq_hw import network
from toreq_hw.errors import ToreqError
from toreq_hw.network import Loop, WeightFormat, build

TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8


def test_build_takes_the_words_of_a_description(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        'input = "4x4x1"\nlayers = ["conv 2 3x3", "dense 4", "dense 2"]\n'
        'weights = ["int8", "ternary", "int8"]\nfeedback = "fixed"\nbiases = "neuron"\n'
        'schedule = "sequential"\n'
        'readout = {kind = "clamped", temperature = [1, 4], normalisation = "softmax"}\n'
        'loops = [{layer = 2, fraction_bits = 4, weights = "ternary"}]\n'
    )
    made = build(
        "4x4x1",
        ["conv 2 3x3", "dense 4", "dense 2"],
        weights=["int8", "ternary", "int8"],
        feedback="fixed",
        biases="neuron",
        schedule="sequential",
        readout={"kind": "clamped", "temperature": [1, 4], "normalisation": "softmax"},
        loops=[Loop(2, 4, weights="ternary")],
    )
    assert made.sha256 == network.load_description(path).sha256
    words = build("4", ["dense 2"], weights="ternary", readout="relaxing")
    assert words.sha256 == build("4", ["dense 2"], weight_format=TERNARY).sha256


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"weights": "int4"}, "build: weights must be one of ternary, int8, not 'int4'; did you"),
        ({"schedule": "party"}, "build: schedule must be one of parity, .*; did you mean 'parity'"),
        ({"feedback": ["fixed", "loose"]}, "build: feedback must be one of .*, not 'loose'"),
        ({"readout": "clam"}, "readout must be one of relaxing, clamped, not 'clam'"),
        ({"biases": "map"}, "biases must be one of channel, neuron, not 'map'"),
        ({"weights": 8}, "build: weights must be "),
        ({"weights": "int8", "weight_format": INT8}, "weights must be given once"),
    ],
)
def test_other_words_are_one_line(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ToreqError, match=said) as caught:
        build("4", ["dense 3", "dense 2"], **given)
    assert len(str(caught.value).splitlines()) == 1

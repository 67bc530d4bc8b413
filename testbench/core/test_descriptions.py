"""Networks in a few words, from Python and from TOML; what is no network is refused in a line."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from toreq_hw import network
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.network import (
    ClampedReadout,
    Colouring,
    Schedule,
    Skip,
    WeightFormat,
    build,
    load_description,
)
from toreq_hw.network.description.words import FORMS

CONV = ["conv 16 5x5 stride 2 pad 1", "conv 32 3x3 stride 2", "dense 10"]


def test_a_convolutional_network() -> None:
    net = build("28x28x1", CONV, fraction_bits=(6, 8, 9), feedback_shifts=(0, 3, 0))
    assert [p.name for p in net.populations] == ["input", "hidden1", "hidden2", "output"]
    assert [p.shape for p in net.populations] == [(28, 28, 1), (13, 13, 16), (6, 6, 32), ()]
    assert [p.biases for p in net.relaxing] == [16, 32, 10]
    assert [c.kind for c in net.couplings] == ["convolution", "convolution", "dense"]
    assert [c.fraction_bits for c in net.couplings] == [6, 8, 9]
    assert [c.feedback_shift for c in net.couplings] == [0, 3, 0]
    assert net.synapses == 25 * 16 + 9 * 16 * 32 + 1152 * 10
    assert net.schedule is Schedule.PARITY


def test_pooling_is_folded_into_what_follows() -> None:
    net = build("12x12x1", ["conv 4 3x3 pad 1", "average 2", "conv 3 3x3", "sum 2", "dense 10"])
    first, second, third = net.couplings
    assert [c.settings()["pool"] for c in (first, second, third)] == [1, 2, 2]
    assert [c.fraction_bits for c in (first, second, third)] == [7, 9, 7]
    assert third.parameters.shape == (2, 2, 3, 10)
    assert net.output.size == 10
    assert net.output.shape == ()


def test_dense_layers_alone_are_a_network_of_version_1() -> None:
    net = build("28x28x1", ["dense 128", "dense 10"], beta_shift=1)
    assert net.sha256 == network.layered((784, 128, 10), WeightFormat.INT8, (7, 7)).sha256
    assert net.file_version == 1


def test_one_axis_of_positions() -> None:
    net = build("16x2", ["conv 4 3 stride 2", "dense 3"], weight_format=WeightFormat.TERNARY)
    assert net.couplings[0].parameters.shape == (3, 2, 4)
    assert net.population("hidden").shape == (7, 4)
    assert net.couplings[0].fraction_bits == 4


def test_a_lattice_has_eight_colours_and_the_output_the_ninth() -> None:
    net = build("14x14", ["lattice 4x4x4", "dense 10"])
    assert isinstance(net.schedule, Colouring)
    assert len(net.colours) == 9
    assert net.sweep.always_settles
    assert [c.kind for c in net.couplings] == ["dense", "sparse", "dense"]


def test_a_clamped_output_is_signed_and_has_no_colour() -> None:
    net = build("9", ["lattice 3x3", "dense 4"], readout=ClampedReadout((1, 4)))
    assert net.output.signed
    assert not net.population("hidden").signed
    assert len(net.colours) == 4


def test_sparse_layers_and_skips() -> None:
    layers = ["random 12 density 0.25", "block 6 blocks 3", "ring 5 reach 2", "dense 3"]
    net = build("8", layers, skips=[Skip(0, 2, 5), Skip(0, 4, 6)], seed=4)
    assert [c.parameters.size for c in net.couplings] == [24, 24, 30, 10, 15, 48, 24]
    assert [(c.pre, c.post) for c in net.couplings[-2:]] == [
        ("input", "hidden2"),
        ("input", "output"),
    ]
    assert net.sweep.always_settles


TOML = """
input = "28x28x1"
layers = ["conv 16 5x5 stride 2 pad 1", "conv 32 3x3 stride 2", "dense 10"]
weights = "ternary"
fraction_bits = [2, 4, 5]
feedback_shifts = [0, 1, 0]
state_bits = 6
input_bits = 4
signed = true
biases = "neuron"
schedule = "sequential"
beta_shift = 2
seed = 3
readout = {kind = "clamped", temperature = [1, 4], normalisation = "softmax"}
skips = [{from = 0, to = 3, fraction_bits = 5}]
"""


def test_toml_says_the_same(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(TOML)
    expected = build(
        "28x28x1",
        CONV,
        weight_format=WeightFormat.TERNARY,
        fraction_bits=(2, 4, 5),
        feedback_shifts=(0, 1, 0),
        state_bits=6,
        input_bits=4,
        signed=True,
        bias_per_channel=False,
        schedule=Schedule.SEQUENTIAL,
        beta_shift=2,
        seed=3,
        readout=ClampedReadout((1, 4)),
        skips=[Skip(0, 3, 5)],
    )
    assert load_description(path).sha256 == expected.sha256
    network.save(expected, tmp_path / "net.safetensors")
    assert network.load(tmp_path / "net.safetensors").sha256 == expected.sha256


def test_the_page_says_a_network(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/networks.md").read_text(encoding="utf-8")
    path = tmp_path / "net.toml"
    path.write_text(page.split("```toml\n")[1].split("```")[0])
    assert [c.shape for c in load_description(path).couplings] == [
        (784, 2704),
        (2704, 1152),
        (1152, 10),
    ]
    for form in FORMS.values():
        assert form in page


REFUSED: dict[str, tuple[str, list[str], dict[str, Any], str]] = {
    "word": ("8", ["spiral 3"], {}, "layer must be one of: dense NEURONS; conv"),
    "no word": ("8", [""], {}, "layer must be one of: dense NEURONS"),
    "max": ("8x8x1", ["max 2", "dense 3"], {}, "does not settle, so there is none"),
    "few": ("8", ["dense"], {}, "must be written as: dense NEURONS, found 'too few words'"),
    "many": ("8", ["dense 3 4"], {}, "must be written as: dense NEURONS, found '4'"),
    "setting": ("8x8x1", ["conv 2 3x3 step 2"], {}, "CHANNELS KERNEL [stride N] [pad N], found"),
    "twice": ("8x8x1", ["conv 2 3x3 pad 1 pad 1"], {}, "must be written as: conv"),
    "number": ("8x8x1", ["conv 2 3x3 pad x"], {}, "must have whole numbers, found 'x'"),
    "size": ("8", ["dense 0"], {}, "size must be numbers in 1..16777216, found '0'"),
    "input": ("eight", ["dense 3"], {}, "input must be 1 to 3 whole numbers joined by x"),
    "kernel axes": ("8x2", ["conv 2 3x3"], {}, "must have a kernel of 1 sizes, found 2"),
    "no positions": ("8", ["conv 2 3"], {}, "must follow positions and channels, such as 28x28x1"),
    "kernel": ("4x4x1", ["conv 2 5x5"], {}, "kernel must fit 4 x 4 positions with 0 of padding"),
    "pooling last": ("8x8x1", ["conv 2 3x3", "sum 2"], {}, "must come before a conv or dense"),
    "pooling of a list": ("8", ["sum 2", "dense 3"], {}, "must follow positions and channels"),
    "average": ("9x9x1", ["average 3", "dense 3"], {}, "must be over a power of 2, not 3"),
    "density": ("8", ["random 3 density 2", "dense 3"], {}, "must have a density in 0..1"),
    "no density": ("8", ["random 3", "dense 3"], {}, "must be written as: random NEURONS density"),
    "block": ("8", ["block 6 blocks 4"], {}, "6 neurons must fall into 4 equal blocks"),
    "bits": ("8", ["dense 3"], {"fraction_bits": (1, 2)}, "fraction_bits must be 1 values, one"),
    "bit": (
        "8",
        ["dense 3"],
        {"fraction_bits": (16,)},
        "fraction_bits must be an integer in 0..15",
    ),
    "skip": ("8", ["dense 3"], {"skips": [Skip(0, 1, 3)]}, "a skip must pass at least one layer"),
    "parity": (
        "8",
        ["dense 3", "dense 4", "dense 5", "dense 2"],
        {"skips": [Skip(1, 3, 3)], "schedule": Schedule.PARITY},
        "schedule parity must have no odd cycle",
    ),
    "none": ("8", [], {}, "layers must be a list of 1 to 1024, found 0"),
    "feedback": ("8", ["dense 3"], {"feedback_shifts": (1,)}, "nothing flows back to the input"),
    "large": ("4000000", ["dense 4000000"], {}, "at most 134217728 synapses in all"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_network_is_refused(name: str) -> None:
    start, layers, options, words = REFUSED[name]
    with pytest.raises(NetworkError) as refused:
        build(start, layers, **options)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('input = "8"', "field layers must be there"),
        ('layers = ["dense 3"]', "field input must be there"),
        ('input = "8"\nlayers = [3]', "field layers[0] must be text, found 3"),
        ('input = "8"\nlayers = "dense 3"', "field layers must be a list"),
        ('input = "8"\nlayers = ["dense 3"]\nlayer = 1', "fields must be input, layers, weights"),
        ('input = "8"\nlayers = ["dense 3"]\nweights = "int4"', "weights must be one of 'ternary'"),
        ('input = "8"\nlayers = ["dense 3"]\nbiases = "none"', "biases must be 'channel' or"),
        ('input = "8"\nlayers = ["dense 3"]\nskips = [{from = 0}]', "skips[0].to must be there"),
        ('input = "8"\nlayers = ["dense 3"]\nreadout = {kind = "open"}', "'relaxing' or 'clamped'"),
        ('input = "8"\nlayers = ["max 2"]', "layer 'max 2' must be average or sum pooling"),
        ('input = "8"\nlayers = [', "TOML"),
    ],
)
def test_bad_toml_is_refused_in_a_line(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "net.toml"
    path.write_text(content)
    with pytest.raises(NetworkFileError) as refused:
        load_description(path)
    assert str(refused.value).startswith(str(path))
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_first_words_are_those_of_the_forms() -> None:
    assert all(form.split()[0] == name for name, form in FORMS.items())
    assert np.all([len(form.split()) > 1 for form in FORMS.values()])

"""Attention in a few words, from Python and TOML."""

from pathlib import Path

import pytest

from toreq_hw.errors import NetworkError
from toreq_hw.network import (
    BudgetRows,
    ConvolutionCoupling,
    Normalisation,
    Population,
    Role,
    WeightFormat,
    attention,
    build,
    load_description,
)

TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8


def test_one_block_has_three_colours() -> None:
    network = build("4x2", ["attention 3", "conv 2 1"], weight_format=TERNARY)
    found = [[part.population for part in colour] for colour in network.colours]
    assert found == [["query", "value", "output"], ["key", "attended"], ["scores"]]
    assert network.sweep.always_settles


def test_blocks_follow_each_other() -> None:
    words = [
        "attention 2 heads 2 mask causal",
        "attention 3 rows softmax temperature 2/1",
        "dense 2",
    ]
    network = build("4x3", words, weight_format=TERNARY)
    names = [p.name for p in network.populations]
    assert names[1:6] == ["query", "key", "value", "scores", "attended"]
    assert names[6:11] == ["query2", "key2", "value2", "scores2", "attended2"]
    assert network.population("scores").rows == BudgetRows(
        4, 127, mask=("1000", "1100", "1110", "1111")
    )
    second = network.population("scores2").rows
    assert second == BudgetRows(4, 127, Normalisation.SOFTMAX, (2, 1))
    assert len(network.terms) == 4
    assert network.couplings[3].name == "attended-query2"


def test_words_of_toml(tmp_path: Path) -> None:
    path = tmp_path / "net.toml"
    path.write_text(
        'input = "8x18"\nlayers = ["attention 16", "conv 10 1"]\nweights = "ternary"\n'
        "fraction_bits = [0, 1]\n"
    )
    network = load_description(path)
    assert (
        network.sha256
        == build(
            "8x18", ["attention 16", "conv 10 1"], weight_format=TERNARY, fraction_bits=[0, 1]
        ).sha256
    )


@pytest.mark.parametrize(
    ("words", "must"),
    [
        ("attention", "must be written as: attention WIDTH"),
        ("attention 3 heads", "must be written as: attention WIDTH"),
        ("attention 3 heads x", "must have whole numbers, found 'x'"),
        ("attention 3 heads 0", "heads"),
        ("attention 0", "must be numbers in 1"),
        ("attention 3 rows hardmax", "have rows softmax or sparsemax, found 'hardmax'"),
        ("attention 3 mask future", "have mask none or causal"),
        ("attention 3 temperature 1/0", "parts in 1..32767"),
        ("attention 3 budget 256", "budget of budget rows must be an integer in 1..255"),
        ("attention 3 bits 16", "fraction_bits must be an integer in 0..15"),
    ],
)
def test_words_are_refused(words: str, must: str) -> None:
    with pytest.raises(NetworkError, match=must) as caught:
        build("4x2", [words, "dense 2"])
    assert "\n" not in str(caught.value)


def test_attention_needs_positions() -> None:
    with pytest.raises(NetworkError, match="must follow positions and channels"):
        build("8", ["attention 3", "dense 2"])
    with pytest.raises(NetworkError, match="must follow positions and channels"):
        attention(Population("x", 4, Role.INPUT), width=1, weight_format=INT8, fraction_bits=0)
    with pytest.raises(NetworkError, match="must have feedback shift 0"):
        build("4x2", ["attention 3", "dense 2"], feedback_shifts=[1, 0])


def test_weights_of_attention_are_shared_by_positions() -> None:
    block = attention(
        Population("x", 8, Role.INPUT, shape=(4, 2)), width=3, weight_format=INT8, fraction_bits=5
    )
    for coupling in block.couplings:
        assert isinstance(coupling, ConvolutionCoupling)
        assert coupling.weight.shape == (1, 2, 3)

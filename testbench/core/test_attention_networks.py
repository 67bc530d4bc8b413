"""Networks with trilinear terms and budget rows: files, words, and what is refused in one line."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.attention_networks import attention_cases
from testbench.networks import Case
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.network import (
    BudgetRows,
    ClampedReadout,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    Trilinear,
    WeightFormat,
    accumulator_range,
    build,
    clamping,
    load,
    save,
    split_by_colour,
)
from toreq_hw.network.file import from_header, header
from toreq_hw.network.projection import Projection
from toreq_hw.sim.perturbation.layer import program
from toreq_hw.sim.perturbation.weight_damage import WeightBitFlip

TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8


def small() -> Network:
    """One block of 4 positions, two heads of 3 channels, and an output of two neurons."""
    return build("4x2", ["attention 3 heads 2", "dense 2"], weight_format=INT8)


@settings(max_examples=40, deadline=None)
@given(attention_cases())
def test_a_file_gives_the_same_network(case: Case) -> None:
    network = case.network
    stated = json.loads(json.dumps(header(network)))
    found = from_header(stated, network.tensors())
    assert found.sha256 == network.sha256
    assert found.terms == network.terms
    assert found.populations == network.populations
    assert found.colours == network.colours
    assert stated["version"] == 2


def test_a_file_on_disk(tmp_path: Path) -> None:
    network = small()
    save(network, tmp_path / "net.safetensors")
    assert load(tmp_path / "net.safetensors").sha256 == network.sha256


def test_the_page_shows_such_a_file() -> None:
    """The entries of docs/numerics.md, section 8."""
    network = build("8x18", ["attention 16", "conv 10 1"], weight_format=TERNARY)
    described_ = network.describe()
    assert described_["populations"][4] == {
        "name": "scores",
        "size": 64,
        "role": "hidden",
        "state_bits": 7,
        "signed": False,
        "shape": [1, 8, 8],
        "bias_per_channel": False,
        "rows": {
            "length": 8,
            "budget": 127,
            "normalisation": "sparsemax",
            "temperature": [1, 1],
            "at_most": False,
        },
    }
    assert described_["terms"][0] == {
        "kind": "trilinear",
        "scores": "scores",
        "left": "query",
        "right": "key",
        "heads": 1,
        "queries": 8,
        "keys": 8,
        "width": 16,
        "fraction_bits": 9,
    }


def changed(**entries: Any) -> dict[str, Any]:
    """The header of `small` with other entries, without its hash."""
    stated: dict[str, Any] = {**header(small()), **entries}
    del stated["sha256"]
    return stated


def with_rows(**entries: Any) -> dict[str, Any]:
    populations = json.loads(json.dumps(header(small())["populations"]))
    populations[4]["rows"] = {**populations[4]["rows"], **entries}
    return changed(populations=populations)


def with_term(**entries: Any) -> dict[str, Any]:
    first, second = header(small())["terms"]
    return changed(terms=[{**first, **entries}, second])


@pytest.mark.parametrize(
    ("stated", "must"),
    [
        (changed(version=1), "must be in a file of version 2, found version 1"),
        (with_rows(length=3), "size must be a multiple of the length of its rows, found 32 and 3"),
        (with_rows(length=8), "rows of its scores must have 4 cells, found 8"),
        (with_rows(budget=128), "budget of rows must be at most 127, the largest state, not 128"),
        (with_rows(budget=0), "budget of budget rows must be an integer in 1..255, not 0"),
        (with_rows(temperature=[0, 1]), "must have parts in 1..32767"),
        (with_rows(temperature=[1]), "must be two whole numbers"),
        (with_rows(normalisation="hardmax"), "normalisation"),
        (with_rows(at_most=1), "at_most"),
        (with_rows(width=1), "width"),
        (with_rows(mask=["1111", "0000", "1111", "1111"]), "each with a 1, found '0000'"),
        (with_rows(mask=["111"]), "must hold texts of 4 digits"),
        (with_rows(mask=[15]), "must hold texts of 4 digits"),
        (with_rows(mask=["1111"] * 3), "mask must have a text a row, or repeat, found 3 texts"),
        (with_rows(mask=["1111"] * 2), "mask of its scores must have 4 texts, found 2"),
        (with_rows(temperature=[1, 4096]), "must rise strictly"),
        (with_term(kind="bilinear"), "must be 'trilinear'"),
        (with_term(heads=1), "scores must have 1 x 4 x 4 neurons, found 32 in 'scores'"),
        (with_term(heads=0), "heads must be an integer in 1..16777216, found 0"),
        (with_term(width=1 << 24), "left must have 4 x 2 x 16777216 neurons"),
        (with_term(fraction_bits=16), "fraction_bits must be an integer in 0..15, found 16"),
        (with_term(left="input"), "left must be a population that updates"),
        (with_term(left="nobody"), "left must be a population that updates"),
        (with_term(left="key"), "must join three different populations"),
        (with_term(left="attended", right="value"), "found 'scores-attended-value' twice"),
        (with_term(weight=1), "weight"),
    ],
)
def test_what_does_not_fit_is_refused(stated: dict[str, Any], must: str) -> None:
    with pytest.raises((NetworkError, NetworkFileError), match=must) as caught:
        from_header(stated, small().tensors())
    assert "\n" not in str(caught.value)


def test_rows_must_be_hidden_and_unsigned() -> None:
    rows = BudgetRows(2, 3)
    for role, signed, found in ((Role.OUTPUT, False, "output"), (Role.HIDDEN, True, "signed")):
        with pytest.raises(NetworkError, match=f"hidden and unsigned, found {found}"):
            Population("a", 4, role, 8, signed, rows=rows)


def test_a_term_needs_populations_that_update() -> None:
    """A clamped output does not, so it is no part of a term."""
    network = small()
    clamped = ClampedReadout((8, 1))
    output = replace(clamped.format_of(network.output), size=24)
    term = replace(network.terms[1], left="output")
    dense = DenseCoupling("attended", "output", np.zeros((24, 24), np.int8), 3, INT8)
    with pytest.raises(NetworkError, match="left must be a population that updates"):
        replace(
            network,
            populations=(*network.populations[:-1], output),
            couplings=(*network.couplings[:-1], dense),
            readout=clamped,
            biases={},
            terms=(network.terms[0], term),
        )


def test_feedback_shifts_must_leave_a_term_at_one_depth() -> None:
    network = small()
    loop = DenseCoupling("query", "key", np.zeros((24, 24), np.int8), 3, INT8, feedback_shift=1)
    with pytest.raises(NetworkError, match=r"one depth|shift must be 0"):
        replace(network, couplings=(*network.couplings, loop), schedule=Schedule.SEQUENTIAL)
    read = replace(network.couplings[-1], feedback_shift=1)
    deeper = replace(network, couplings=(*network.couplings[:-1], read))
    assert deeper.depths["output"] == 1
    assert {deeper.depths[name] for name in ("query", "key", "value", "scores", "attended")} == {0}


def test_sums_beyond_32_bits_are_refused() -> None:
    """With f of 0 and 15 a score gets its products 2^15 times: of 5 channels that is too much."""
    network = build("4x2", ["attention 5", "dense 2"], weight_format=INT8)
    first, second = network.terms
    far = (replace(first, fraction_bits=0), replace(second, fraction_bits=15))
    with pytest.raises(NetworkError, match="'scores': accumulators must stay within"):
        replace(network, terms=far)


def test_bounds_by_hand() -> None:
    """4 positions, A = 127: query 127 127, key 4 times that, scores 3 channels of two terms."""
    network = small()
    largest = {n: int(accumulator_range(network, n)[1].max()) for n in ("query", "key", "scores")}
    assert largest == {"query": 127**2, "key": 4 * 127**2, "scores": 2 * 3 * 127**2}
    masked = build("4x2", ["attention 3 heads 2 mask causal", "dense 2"], weight_format=INT8)
    keys = accumulator_range(masked, "key")[1].reshape(4, 2, 3)[:, 0, 0]
    assert keys.tolist() == [k * 127**2 for k in (4, 3, 2, 1)]
    scores = accumulator_range(masked, "scores")[1].reshape(2, 4, 4)
    assert (scores[0] > 0).tolist() == np.tri(4, dtype=bool).tolist()


def test_bounds_count_the_states_of_scores_without_rows() -> None:
    network = small()
    plain = replace(network.population("scores"), rows=None)
    populations = tuple(plain if p.name == "scores" else p for p in network.populations)
    query = accumulator_range(replace(network, populations=populations), "query")[1]
    assert int(query.max()) == 4 * 127**2


def test_a_phase_with_terms_clamps_the_input_alone() -> None:
    network = replace(small(), schedule=Schedule.SEQUENTIAL)
    with pytest.raises(NetworkError, match="terms must join two populations where other"):
        clamping(network, ["input", "output"])
    assert clamping(network, ["input"]) is network


def test_others_refuse_it() -> None:
    with pytest.raises(NetworkError, match="terms must join two populations to be split by colour"):
        split_by_colour(small())
    with pytest.raises(InputError, match="terms must join two populations under weight_bit_flip"):
        program(small(), [WeightBitFlip(0.1, 1)])
    rows = replace(small(), terms=())
    with pytest.raises(NetworkError, match="neurons must update alone to be split by colour"):
        split_by_colour(rows)


def test_a_term_is_no_projection() -> None:
    network = small()
    assert all(isinstance(p, Projection) for p in network.into("scores"))
    assert not network.into("scores")
    assert [share.term.name for share in network.shares_into("scores")] == [
        "scores-query-key",
        "scores-attended-value",
    ]


def test_one_trilinear_term_alone() -> None:
    with pytest.raises(NetworkError, match="width must be an integer"):
        Trilinear("a", "l", "r", heads=1, queries=1, keys=1, width=0, fraction_bits=0)

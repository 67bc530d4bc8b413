"""A network that cannot fit is refused before any tool runs, and told what would."""

from dataclasses import replace

import pytest

from toreq_hw.boards import registry
from toreq_hw.boards.fit.check import check_fit, lanes_that_fit
from toreq_hw.boards.flow.synthesis import Learning, Request
from toreq_hw.boards.tool_reports.plausible import check_plausible
from toreq_hw.errors import NetworkError, ReportError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.design import Resources
from toreq_hw.rtl.parameters import CoreParameters


def _network(*sizes: int, weights: WeightFormat = WeightFormat.TERNARY):  # type: ignore[no-untyped-def]
    return layered(sizes, weights, [4] * (len(sizes) - 1))


def test_digits_fit_everywhere() -> None:
    network = _network(64, 128, 10)
    for name in registry.names():
        assert check_fit(registry.get(name), network, 8).lanes == 8


def test_as_many_lanes_as_fit_are_chosen() -> None:
    """INT8 weights of these neurons need twice the single-port memories with 16 lanes."""
    board, network = registry.get("icebreaker"), _network(64, 64, 10, weights=WeightFormat.INT8)
    with pytest.raises(NetworkError, match="it fits with 2 or 4 or 8 lanes"):
        check_fit(board, network, board.lanes)
    assert lanes_that_fit(board, network) == 8
    assert Request.of(network, board).lanes == 8
    assert lanes_that_fit(board, _network(64, 128, 10)) == board.lanes
    assert lanes_that_fit(board, _network(784, 4000, 10)) == board.lanes, "which is refused then"


@pytest.mark.parametrize("learns", [False, True])
@pytest.mark.parametrize("register", [False, True])
def test_an_accumulator_register_is_built_where_it_is_asked_for(
    learns: bool, register: bool
) -> None:
    network = _network(64, 16, 10)
    learning = Learning.alike(network, 2, 12) if learns else None
    request = Request.of(
        network, "ulx3s_85f", lanes=8, learning=learning, accumulator_register=register
    )
    assert request.parameters.accumulator_register is register


def test_memories_that_need_too_many_blocks() -> None:
    board = registry.get("ice40_hx8k_b_evn")
    with pytest.raises(NetworkError) as caught:
        check_fit(board, _network(784, 512, 10), 8)
    message = str(caught.value)
    assert message.startswith(
        "network must fit onto ice40_hx8k_b_evn: memories need 439 blocks of 4096 bits (ternary "
        "weights 416, "
    )
    assert ", available 32; 8 lanes fit with 784-" in message
    hidden = int(message.split("784-")[1].split("-", maxsplit=1)[0])
    assert 0 < hidden < 512
    check_fit(board, _network(784, hidden, 10), 8)
    with pytest.raises(NetworkError, match=r"fit"):
        check_fit(board, _network(784, hidden + 1, 10), 8)


def test_accumulators_count() -> None:
    """Weights alone would fit in all of these."""
    board = registry.get("ice40_hx8k_b_evn")
    network = _network(64, 128, 10)
    with pytest.raises(NetworkError, match=r"\(accumulators 34, .*available 32; it fits with 2 or"):
        check_fit(board, network, 32)
    board = registry.get("icebreaker")
    with pytest.raises(NetworkError, match=r"accumulators 34, .*\), available 30; it fits with"):
        check_fit(board, network, 32)


def test_weights_that_need_too_many_bits_of_single_port_memory() -> None:
    unit = "blocks of 262144 bits of single-port RAM"
    with pytest.raises(NetworkError, match=rf"ternary weights need 8 {unit}, available 4; "):
        check_fit(registry.get("icebreaker"), _network(784, 1024, 10), 16)


def test_fewer_lanes_are_named_where_they_would_do() -> None:
    board = registry.get("tang_nano_9k")
    small = replace(board, capacity=replace(board.capacity, block_ram=6))
    network = _network(64, 128, 10)
    with pytest.raises(NetworkError, match=r"available 6; it fits with .*\b4\b.* lanes"):
        check_fit(small, network, 64)


def test_nothing_would_do() -> None:
    board = registry.get("tang_nano_9k")
    none = replace(board, capacity=replace(board.capacity, block_ram=0))
    with pytest.raises(NetworkError, match=r"no number of hidden neurons fits; use a larger"):
        check_fit(none, _network(64, 128, 10), 16)


PLENTY = Resources(lut4=4000, ff=4000, block_ram=30, spram=0, dsp=0)


@pytest.mark.parametrize(
    ("used", "message"),
    [
        (replace(PLENTY, ff=3), r"8 lanes of \d+ bits must take at least \d+ flip-flops, found 3"),
        (replace(PLENTY, lut4=3), r"must take at least \d+ LUT4, found 3: optimised away"),
        (
            replace(PLENTY, lut4=500, block_ram=0),
            r"weights of \d+ bits must be in memory, found room for 8000 in the blocks used",
        ),
    ],
)
def test_logic_that_was_optimised_away(used: Resources, message: str) -> None:
    parameters = CoreParameters.of(_network(64, 128, 10), 8)
    check_plausible(parameters, (4096, 0), PLENTY)
    with pytest.raises(ReportError, match=message):
        check_plausible(parameters, (4096, 0), used)

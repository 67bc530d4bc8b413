import pytest

from toreq_hw.boards import registry
from toreq_hw.errors import InputError


def test_each_board_is_found_by_its_name() -> None:
    assert registry.names() == (
        "icebreaker",
        "ice40_hx8k_b_evn",
        "ulx3s_25f",
        "ulx3s_85f",
        "orangecrab",
        "tang_nano_9k",
    )
    assert [registry.get(name).name for name in registry.names()] == list(registry.names())


def test_an_unknown_board_is_refused_with_the_names() -> None:
    with pytest.raises(InputError, match=r"board must be one of icebreaker, .*, not 'basys3'"):
        registry.get("basys3")


@pytest.mark.parametrize("name", registry.names())
def test_oscillator_and_uart_are_those_of_the_platform(name: str) -> None:
    board = registry.get(name)
    platform = board.make_platform()
    assert platform.lookup(board.oscillator).clock.frequency == board.oscillator_hz
    assert platform.lookup("uart", 0)
    assert platform.lookup(*board.led)

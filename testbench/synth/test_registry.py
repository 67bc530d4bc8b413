from importlib import import_module
from pkgutil import iter_modules

import pytest

import toreq_hw.boards
from toreq_hw.boards import registry
from toreq_hw.errors import InputError


def test_each_board_is_found_by_its_name() -> None:
    assert registry.names()[:6] == (
        "icebreaker",
        "ice40_hx8k_b_evn",
        "ulx3s_25f",
        "ulx3s_85f",
        "orangecrab",
        "tang_nano_9k",
    )
    assert [registry.get(name).name for name in registry.names()] == list(registry.names())


def test_every_board_that_is_written_is_registered() -> None:
    """A file in boards/ that holds a BOARD has a line in the registry."""
    names = [module.name for module in iter_modules(toreq_hw.boards.__path__)]
    modules = [import_module(f"toreq_hw.boards.{name}") for name in names]
    written = {module.BOARD for module in modules if hasattr(module, "BOARD")}
    assert written == {registry.get(name) for name in registry.names()}


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

"""An error is one printable line, whatever it quotes."""

from toreq_hw.errors import InputError


def test_an_error_is_one_printable_line() -> None:
    error = InputError("a\nb\x1b[31m\udcff: must be readable")
    assert str(error) == r"a\nb\x1b[31m\udcff: must be readable"
    assert str(InputError("größer als [v2]")) == "größer als [v2]"

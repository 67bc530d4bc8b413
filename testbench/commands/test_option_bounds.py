"""Every option has bounds, and what lies outside of them is refused before anything is done."""

from importlib import import_module

import click
import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw import commands
from toreq_hw.cli.checked import CheckedCommand
from toreq_hw.cli.numbers import (
    Levels,
    Name,
    Names,
    Numbers,
    PowerOfTwo,
    Real,
    Trials,
    Whole,
    levels,
)
from toreq_hw.cli.readout_options import Fraction

HUGE = str(10**20)
OUTSIDE = (HUGE, "-1", "nan", "inf", "-inf", "1e300", "1e400", "text", "", "9" * 5000, "1,,2", "0x")
TEXTS = {
    ("deploy", "--chip"),
    ("deploy", "--port"),
    ("inject", "--scheduler"),
    ("inject", "--set"),
    ("lazy", "--scheduler"),
    ("learning", "--only"),
    ("learning", "--scheduler"),
    ("parity", "--scheduler"),
    ("structured", "--only"),
    ("replay", "--make"),
    ("rtl", "--name"),
    ("reports", "--only"),
    ("reports", "--scheduler"),
    ("robustness", "--scheduler"),
    ("search", "--budget"),
    ("search", "--choose"),
    ("search", "--damage"),
    ("search", "--only"),
    ("search", "--require"),
    ("search", "--scheduler"),
    ("structured", "--scheduler"),
    ("train", "--device"),
    ("verify", "--scheduler"),
    ("verify", "--track"),
}
"""Options that take any text, and say themselves what is wrong with it."""
OF_OWN_DATA = {"--target-column", "--split", "--scale"}
"""Those that every command with own data has; `toreq_hw.data.own` says what is wrong with them."""
ANY_UNIT = {"--input-scale", "--input-mean", "--input-std"}
"""Numbers in a user's own unit: large ones are allowed, and a mean below zero."""

SIGNED = {"--drive", "--feedback-shift"}
"""Shifts in either direction."""


def parameters() -> list[tuple[str, click.Parameter]]:
    names = sorted(commands._COMMANDS)
    modules = {name: import_module(f"toreq_hw.commands.{name.replace('-', '_')}") for name in names}
    return [(name, p) for name in names for p in modules[name].command.params]


def test_runs_are_named_after_their_commands() -> None:
    found = {
        name: import_module(f"toreq_hw.commands.{name.replace('-', '_')}").command
        for name in commands._COMMANDS
    }
    checked = {name: c.own_name for name, c in found.items() if isinstance(c, CheckedCommand)}
    assert len(checked) > 15
    assert checked == {name: name for name in checked}


def test_every_option_has_a_type_with_bounds() -> None:
    ours = (Whole, PowerOfTwo, Real, Numbers, Levels, Trials, Name, Names, Fraction, click.Path)
    free = {
        (name, max(p.opts, key=len))
        for name, p in parameters()
        if isinstance(p, click.Option) and not p.is_flag and not isinstance(p.type, ours)
    }
    free = {(name, option) for name, option in free if option not in OF_OWN_DATA}
    assert free <= TEXTS, free - TEXTS


@pytest.mark.parametrize("value", OUTSIDE)
def test_numbers_outside_of_their_bounds_are_refused(value: str) -> None:
    checked = 0
    for name, p in parameters():
        if isinstance(p.type, Whole | PowerOfTwo | Real | Numbers | Trials):
            if max(p.opts, key=len) in ANY_UNIT and value in (HUGE, "-1"):
                continue
            if max(p.opts, key=len) in SIGNED and value == "-1":
                continue
            with pytest.raises(click.BadParameter, match="must be") as caught:
                p.type.convert(value, p, None)
            assert len(caught.value.format_message()) < 400, (name, p.opts, "a long value is cut")
            checked += 1
    assert checked > 40


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0:0.5:1000000000", "count must be in 2..1000, found '1000000000'"),
        ("0:0.5:1001", "count must be in 2..1000, found '1001'"),
        ("0:0.5:1", "count must be in 2..1000, found '1'"),
        ("0.5:0:3", "must be first:last:count with 0 <= first < last"),
        ("0:nan:3", "must be first:last:count with 0 <= first < last"),
        ("0:1", "must be first:last:count with 0 <= first < last"),
        ("0:1:2:3", "must be first:last:count with 0 <= first < last"),
        ("inf", "must be first:last:count, or 1 to 1000 finite numbers"),
        (",".join("1" for _ in range(1001)), "or 1 to 1000 finite numbers"),
    ],
)
def test_levels_are_counted_before_they_are_built(text: str, message: str) -> None:
    with pytest.raises(ValueError, match="must be") as caught:
        levels(text)
    assert message in str(caught.value)


def test_levels_by_hand() -> None:
    assert levels("0:0.5:3") == (0.0, 0.25, 0.5)
    assert levels("0.01:1:3") == (0.01, 0.1, 1.0)
    assert levels("0,0.5") == (0.0, 0.5)
    assert len(levels("0:0.5:1000")) == 1000


def test_the_line_says_what_must_hold_and_what_was_found() -> None:
    done = run("simulate", "net.safetensors", "--threshold", HUGE)
    assert done.status == 2
    assert "--threshold" in done.error
    assert f"must be a whole number in 0..255, found '{HUGE}'" in done.error


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["simulate", "net", "--engine", "evnt"], "event"),
        (["simulate", "net", "--data", "fashion"], "fashion-mnist"),
        (["synth", "net", "--board", "ulx3s-85f"], "ulx3s_85f"),
        (["deploy", "--target", "Loihi"], "loihi"),
        (["inject", "net", "--levels", "0,1", "--layer", "dead_neuron"], "dead_neurons"),
        (["replay", "net", "map", "--on", "sim,lav"], "lava"),
        (["parity", "--tasks", "digit"], "digits"),
        (["train", "--out", "net", "--weights", "int-8"], "int8"),
    ],
)
def test_the_nearest_name_is_suggested(arguments: list[str], nearest: str) -> None:
    done = run(*arguments)
    assert done.status == 2
    assert f"did you mean '{nearest}'?" in done.error

"""Everything that is looked up by a name a user gives answers an unknown one in one line."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from testbench.networks import random_case
from toreq_hw import data, sim
from toreq_hw.boards import registry as boards
from toreq_hw.boards.devices import ICE40UP5K
from toreq_hw.boards.energy.coefficients import coefficients
from toreq_hw.errors import ToreqError
from toreq_hw.lava_backend.mapper import load_chip
from toreq_hw.network import Schedule
from toreq_hw.sim import perturbation as p
from toreq_hw.targets import registry as targets

NETWORK = random_case(1, schedule=Schedule.PARITY).network

LOOKUPS: dict[str, Callable[[Any], Any]] = {
    "board": boards.get,
    "target": targets.get,
    "data": data.load,
    "layer": lambda name: p.make_layer(name, level=0.1),
    "layer of a record": lambda name: p.from_json({"kind": name, "level": 0.1}),
    "setting": lambda name: p.make_layer("dead_neurons", level=0.1, **{str(name): 1}),
    "engine": lambda name: sim.make_engine(NETWORK, name),
    "engine under faults": lambda name: p.disturbed_engine(
        NETWORK, p.Disturbance.none(NETWORK), name
    ),
    "chip": lambda name: load_chip(str(name)),
    "population": NETWORK.population,
}


@pytest.mark.parametrize(
    "name", ["nowhere", "", "__class__", "a\nb", pytest.param(10**5000, id="huge"), None, ["list"]]
)
@pytest.mark.parametrize("what", LOOKUPS)
def test_an_unknown_name_is_one_line(what: str, name: Any) -> None:
    if what in ("setting", "chip") and isinstance(name, int):
        name = "9" * 300
    with pytest.raises(ToreqError) as caught:
        LOOKUPS[what](name)
    assert str(caught.value).isprintable()


def test_a_device_without_figures_has_one_sentence_instead() -> None:
    found = coefficients(replace(ICE40UP5K, lut4=9999))
    assert found == "no source was looked for: a device of 9999 LUT4 is none of the boards' here"

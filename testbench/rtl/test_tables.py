"""What is listed once is what is built: the memories of a core."""

import re
from collections import Counter
from typing import Any

import pytest
from amaranth.back import rtlil

from testbench.networks import random_case
from toreq_hw.network import Schedule
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters

CHOICES: list[tuple[int, dict[str, Any]]] = [
    (3, {"large_coupling": 0, "update_lanes": 2}),
    (4, {"threshold": 2, "block_bits": 64}),
    (8, {"initialised": False}),
]


@pytest.mark.parametrize(("seed", "choices"), CHOICES)
def test_the_memories_built_are_those_listed(seed: int, choices: dict[str, Any]) -> None:
    network = random_case(seed, schedule=Schedule.SEQUENTIAL).network
    parameters = CoreParameters.of(network, 4, **choices)
    core = Core(parameters, MemoryImages.of(network, parameters))
    text = rtlil.convert(core, name="core", emit_src=False)
    found = re.findall(r"^  memory width (\d+) size (\d+) ", text, re.MULTILINE)
    listed: Counter[tuple[int, int]] = Counter()
    for spec in parameters.memories:
        # The queue of inputs holds its last word in a register.
        depth = spec.depth - (spec.name == "input queue")
        for width in spec.columns:
            listed[width, depth] += spec.copies
    assert Counter((int(width), int(depth)) for width, depth in found) == listed

"""A lattice of two colours on the core: split by colour, states and settled sweeps are the same."""

from pathlib import Path

import numpy as np
import pytest

from testbench.colourings import chequered_case
from toreq_hw import sim
from toreq_hw.errors import NetworkError
from toreq_hw.network import split_by_colour
from toreq_hw.rtl.cxxrtl import CompiledCore
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.parameters import CoreParameters


def test_a_chequered_lattice_split_by_colour_runs_on_the_core(tmp_path: Path) -> None:
    case = chequered_case(1)
    with pytest.raises(NetworkError, match=r"for the core, found a colouring .*split_by_colour"):
        CoreParameters.of(case.network, 4)
    split = split_by_colour(case.network)
    parameters = CoreParameters.of(split.network, 4)
    core = CompiledCore(parameters, MemoryImages.of(split.network, parameters), tmp_path)
    free = sim.free_phase(case.network, case.inputs)
    phases = [
        free,
        *(sim.nudged_phase(case.network, case.inputs, free, case.labels, k) for k in (1, -1)),
    ]
    names = [p.name for p in split.network.relaxing]
    ends = np.cumsum([p.size for p in split.network.relaxing])[:-1]
    for sample, label in enumerate(case.labels.tolist()):
        commands = [(phase.command, label) for phase in parameters.phases]
        replies = core.run(case.inputs[sample], commands)
        for phase, reply in zip(phases, replies, strict=True):
            assert reply.states is not None
            parts = dict(zip(names, np.split(reply.states, ends), strict=True))
            found = split.to_original(parts)
            for name, states in phase.states.items():
                assert np.array_equal(states[sample], found[name]), (sample, name)
            assert reply.summary["sweeps"] == phase.sweeps[sample]
    core.close()

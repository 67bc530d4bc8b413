"""The process in which a fault map is replayed on Lava, a time step at a time.

Between two steps Lava stands still, and its memories may be written: states and accumulators of
the populations, and the buffers of the connections, where a message is for one step. What is
stuck or frozen is never updated, because its `colour` is written to be none. What a neuron sent
in a step is corrected in the buffers before any population receives it.
"""

import json
import sys
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.arithmetic import WORD_SIGN, flip_bits, flip_state, wrap32
from toreq_hw.contract.faults import Fault, faults_by_tick
from toreq_hw.json_values import JsonObject
from toreq_hw.lava_backend import lava_shim
from toreq_hw.lava_backend.lava_worker import Watch, end, note_progress
from toreq_hw.network import Network, Population, load
from toreq_hw.records import plain
from toreq_hw.records.replay import LavaReplay

Wide = npt.NDArray[np.int64]

NO_COLOUR = -1
"""Of neurons that are never updated."""


def main(folder: Path) -> None:
    """Replays the map in `folder` and leaves states and sweeps there."""
    lava_shim.prepare()
    from lava.magma.core.run_conditions import RunSteps
    from lava.magma.core.run_configs import Loihi2SimCfg

    from toreq_hw.lava_backend.external_step.process import ExternalStepController
    from toreq_hw.lava_backend.lava_network import connect

    request = np.load(folder / "request.npz")
    rows = json.loads((folder / "map.json").read_text(encoding="utf-8"))
    network = load(folder / "network.safetensors")
    controller = ExternalStepController(
        inputs=request["inputs"], outputs=network.output.size, colours=len(network.colours)
    )
    populations, connections = connect(network, controller, None, None)
    watch = Watch(folder)
    controller.create_runtime(run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
    watch.start(controller.runtime)
    colours = np.concatenate([network.sweep.colour_of(p.name) for p in network.relaxing])
    machine = Machine(network, colours.astype(np.int64), populations, connections, rows)

    def step() -> None:
        controller.run(condition=RunSteps(num_steps=1))
        note_progress(folder)

    found = []
    for sample, start in enumerate(request["start"]):
        if sample:  # the first one is named from the start, before Lava runs
            controller.present.set(np.array([sample], dtype=np.int32))
        found.append(machine.replay(sample, start.astype(np.int64), step))
    (folder / "replayed.json").write_text(json.dumps(plain(found)), encoding="utf-8")
    watch.stop()
    controller.stop()


class Machine:
    """Lava's memories under one map. States are kept in file order, int64 (neurons,).

    colours: in which tick of a sweep each neuron is updated.
    """

    def __init__(
        self,
        network: Network,
        colours: Wide,
        populations: dict[str, Any],
        connections: list[Any],
        rows: JsonObject,
    ) -> None:
        self.network, self.populations, self.connections, self.rows = (
            network,
            populations,
            connections,
            rows,
        )
        self.spans: dict[str, slice] = {}
        self.owner: list[Population] = []
        for population in network.relaxing:
            first = len(self.owner)
            self.spans[population.name] = slice(first, first + population.size)
            self.owner += [population] * population.size
        self.colour = colours
        self.stuck = {self._index(n, k): state for n, k, state in rows["stuck"]}
        self.state_xor_mask = {self._index(n, k): mask for n, k, mask in rows["inverted"]}
        self.message_xor_mask = {self._index(n, k): mask for n, k, mask in rows["messages"]}

    def replay(self, sample: int, start: Wide, step: Any) -> LavaReplay:
        """One sample; `step` runs one time step of Lava."""
        first = {name: span.start for name, span in self.spans.items()}
        faults = faults_by_tick(self.rows["faults"], sample, first)
        step()
        self.state = start.copy()
        for neuron, state in self.stuck.items():
            self.state[neuron] = state
        colours = len(self.network.colours)
        quiet_after = max((row[1] for row in self.rows["faults"]), default=0)
        self._write("state", self.state)
        self._add_weighted("accumulator", self.state)
        ticks = [self.state.tolist()]
        for sweep in range(1, self.rows["max_sweeps"] + 1):
            changed = False
            for colour in range(colours):
                tick = (sweep - 1) * colours + colour + 1
                changed |= self._tick(tick, colour, faults[tick], step)
                ticks.append(self.state.tolist())
            if not changed and (sweep - 1) * colours >= quiet_after:
                return LavaReplay(ticks, sweep, settled=True)
        return LavaReplay(ticks, self.rows["max_sweeps"], settled=False)

    def _tick(
        self, tick: int, colour: int, faults: list[tuple[int, Fault, int]], step: Any
    ) -> bool:
        """Faults, one time step, and what is wrong with its messages; whether a state changed."""
        standing = self.state.copy()
        times, masks = self._apply_faults(faults)
        active = self._active(tick)
        self._write("colour", active)
        before = self.state.copy()
        step()
        computed = np.concatenate([p.state.get() for p in self.populations.values()]).astype(int)
        wrong = np.zeros_like(before)
        for i in np.flatnonzero(active == colour).tolist():
            new = _flip(int(computed[i]), self.state_xor_mask.get(i, 0), self.owner[i])
            message = new - int(before[i])
            if message:
                message = _corrupt_message(
                    message, masks.get(i, 0) ^ self.message_xor_mask.get(i, 0), self.owner[i]
                )
                message *= times.get(i, 1)
            wrong[i] = message - (int(computed[i]) - int(before[i]))
            self.state[i] = new
        if not np.array_equal(self.state, computed):
            self._write("state", self.state)
        if wrong.any():
            self._add_weighted("a_buff", wrong)
        return bool((before != standing).any() or (self.state != before).any())

    def _apply_faults(
        self, faults: list[tuple[int, Fault, int]]
    ) -> tuple[dict[int, int], dict[int, int]]:
        """Applies faults; returns how often each event arrives, and with which bits inverted."""
        times: dict[int, int] = {}
        masks: dict[int, int] = defaultdict(int)
        for i, fault, bit in faults:
            if fault == Fault.ACCUMULATOR_FLIP:
                self._flip_accumulator(i, bit)
            elif fault == Fault.EVENT_DROP:
                times[i] = 0
            elif fault == Fault.EVENT_DUPLICATE:
                times[i] = min(2 * times.get(i, 1), 2)
            elif fault == Fault.EVENT_FLIP:
                masks[i] ^= 1 << bit
            elif i not in self.stuck:
                delta = np.zeros_like(self.state)
                delta[i] = _flip(int(self.state[i]), 1 << bit, self.owner[i]) - self.state[i]
                self.state = self.state + delta
                self._write("state", self.state)
                if fault == Fault.STATE_FLIP:
                    self._add_weighted("accumulator", delta)
        return times, masks

    def _flip_accumulator(self, i: int, bit: int) -> None:
        """Flips a bit of the sum as it will be with what is still on its way to it."""
        name = self.owner[i].name
        local = i - self.spans[name].start
        sums = self.populations[name].accumulator.get().astype(np.int64)
        coming = sum(int(w.dense.a_buff.get()[local]) for w in self.connections if w.target == name)
        word = wrap32(int(sums[local]) + coming)
        sums[local] = flip_bits(word, 1 << bit, WORD_SIGN) - coming
        self.populations[name].accumulator.set(sums.astype(np.int32))

    def _add_weighted(self, memory: str, change: Wide) -> None:
        """Adds W change to accumulators, or to the buffers on the way there, in 32 bits."""
        for one in self.connections:
            if one.source not in self.spans or not change[self.spans[one.source]].any():
                continue
            sums = (one.weights.astype(np.int64) @ change[self.spans[one.source]]) << one.shift
            owner = one.dense if memory == "a_buff" else self.populations[one.target]
            variable = getattr(owner, memory)
            variable.set((variable.get().astype(np.int64) + sums).astype(np.int32))

    def _write(self, memory: str, values: Wide) -> None:
        for name, population in self.populations.items():
            getattr(population, memory).set(values[self.spans[name]].astype(np.int32))

    def _active(self, tick: int) -> Wide:
        """The colour of every neuron, or none."""
        active: Wide = self.colour.copy()
        active[list(self.stuck)] = NO_COLOUR
        for colour, first in self.rows["frozen"]:
            if tick >= first:
                active[self.colour == colour] = NO_COLOUR
        return active

    def _index(self, name: str, neuron: int) -> int:
        return int(self.spans[name].start) + neuron


def _flip(state: int, mask: int, population: Population) -> int:
    return int(flip_state(state, mask, population.state_min, population.state_max))


def _corrupt_message(delta: int, mask: int, population: Population) -> int:
    """A change of state as it arrives: one bit wider than a state, some bits inverted."""
    return int(flip_bits(delta, mask, 1 << population.state_bits))


if __name__ == "__main__":
    request_folder = Path(sys.argv[1])
    try:
        main(request_folder)
    except BaseException:
        end(request_folder, traceback.format_exc())

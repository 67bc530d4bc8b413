"""Fault maps on a compiled core: the same replay as under cocotb, without a simulator at hand.

Yosys' CXXRTL, g++ and ctypes, as in `rtl.cxxrtl`, but a cycle at a time and with every wire in
reach: slow, and only for replays.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.results import CONTINUED, PhaseResult
from toreq_hw.errors import InputError
from toreq_hw.network import Network, check_starts, check_states
from toreq_hw.records.replay import CoreReplay
from toreq_hw.rtl.compiled_model import CompiledModel
from toreq_hw.rtl.cxxrtl import compile_core
from toreq_hw.rtl.datapath import DRAIN_CYCLES
from toreq_hw.rtl.images import MemoryImages, load_words
from toreq_hw.rtl.interfaces import (
    command_payload,
    input_payload,
    load_payload,
    pack,
    summary_payload,
    unpack,
)
from toreq_hw.rtl.live_page import LivePage, Wide
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import Command
from toreq_hw.rtl.replay import WIRES, Replay, Rows
from toreq_hw.rtl.reply import replay_result

_CYCLE_LIMIT = 1_000_000
"""Cycles of a sample; a core that hangs becomes an error."""


@named_type_errors
def replay_on_core(
    network: Network,
    damaged: Network,
    rows: Rows,
    inputs: npt.NDArray[np.int16],
    start: npt.NDArray[np.int16],
    *,
    parameters: CoreParameters,
    folder: Path,
) -> PhaseResult:
    """What came of the map's samples; its trace holds the ticks at whose end the core waited.

    network: what the core is made for; damaged: the same with the map's weights, loaded word by
    word. rows: the map's other entries. inputs: int16 (samples, n_input). start: int16
    (samples, neurons), where each phase begins. parameters: as `replay_parameters` makes them of
    `network`. folder: takes the compiled core.

    Raises InputError where the core cannot replay the map, and MissingDependencyError without g++.
    """
    inputs = check_states(network.input, inputs)
    start = check_starts(network, start, len(inputs))
    samples = [
        Replay(parameters, damaged, rows, k, start[k].astype(np.int64)) for k in range(len(inputs))
    ]
    core = ReplayCore(network, parameters, folder)
    try:
        core.load(damaged)
        found = [core.relax(one, image) for one, image in zip(samples, inputs, strict=True)]
        return replay_result(network, CONTINUED, found)
    finally:
        core.close()


class ReplayCore:
    """A compiled core with a fault port and accumulators of 32 bits."""

    def __init__(self, network: Network, parameters: CoreParameters, folder: Path) -> None:
        self._parameters = parameters
        self._states = LivePage.of_states(parameters)
        self._sums = LivePage.of_accumulators(parameters)
        images = MemoryImages.of(network, parameters)
        model = CompiledModel(compile_core(parameters, images, folder, upsets=True))
        self.get, self.put, self._model = model.get, model.put, model
        model.reset()
        for name in ("upsets__hold", "states__ready", "summary__ready"):
            self.put(name, 1)

    def close(self) -> None:
        """Frees the model; it cannot be used afterwards."""
        self._model.close()

    def load(self, network: Network) -> None:
        """Loads every weight and bias over the stream."""
        layout = load_payload(self._parameters)
        for word in load_words(network, self._parameters):
            fields = {"space": word.space, "address": word.address, "data": word.data}
            self._send("loads", pack(layout, **fields))

    def relax(self, one: Replay, image: npt.NDArray[np.int16]) -> CoreReplay:
        """One sample of a map: presented, relaxed; faults act whenever the core waits."""
        for name, level in one.levels().items():
            self.put(f"upsets__{name}", level)
        self._send("commands", pack(command_payload(self._parameters), command=Command.FREE))
        self._present(image)
        for _ in range(_CYCLE_LIMIT):
            self._model.low()
            if self.get("summary__valid"):
                summary = self.get("summary__payload")
                states = self._states.neurons(self._words(self._states))
                self._model.high()
                return self._record(summary, states, one)
            waits = self.get("upsets__waits")
            self._model.high()
            if waits:
                self._act(one)
        raise InputError(f"core must settle within {_CYCLE_LIMIT} cycles, sample {one.sample}")

    def _act(self, one: Replay) -> None:
        for _ in range(DRAIN_CYCLES - 1):  # the first cycle of waiting is over
            self._model.cycle()
        pages = self._states, self._sums
        words = [self._words(page) for page in pages]
        states, sums = (page.neurons(rows) for page, rows in zip(pages, words, strict=True))
        port = (self.get(f"upsets__{name}") for name in ("sweep", "position", "pending_blocks"))
        wires = one.step(states, sums, *port)
        for page, rows, neurons in zip(pages, words, (states, sums), strict=True):
            for row, word in page.changed_rows(rows, neurons).items():
                self.put(f"datapath {page.memory}", word, row)
        for name in WIRES:
            self.put(f"upsets__{name}", int(getattr(wires, name)))
        self._model.cycle()
        self.put("upsets__set_pending", 0)
        self.put("upsets__hold", 0)
        self._model.cycle()
        self.put("upsets__hold", 1)

    def _present(self, image: npt.NDArray[np.int16]) -> None:
        layout = input_payload(self._parameters)
        for index, value in enumerate(image.tolist()):
            is_last = index == len(image) - 1
            self._send("inputs", pack(layout, value=value, dense=1, last=is_last))

    def _send(self, stream: str, payload: int) -> None:
        """One word, taken before the next is offered."""
        self.put(f"{stream}__payload", payload)
        self.put(f"{stream}__valid", 1)
        for _ in range(_CYCLE_LIMIT):
            self._model.low()
            taken = self.get(f"{stream}__ready")
            self._model.high()
            if taken:
                self.put(f"{stream}__valid", 0)
                return
        raise InputError(f"core must take a word of {stream} within {_CYCLE_LIMIT} cycles")

    def _words(self, page: LivePage) -> list[int]:
        return [self.get(f"datapath {page.memory}", row) for row in range(page.rows)]

    def _record(self, summary: int, states: Wide, one: Replay) -> CoreReplay:
        fields = unpack(summary_payload(self._parameters), summary)
        return CoreReplay(
            states=states.tolist(),
            sweeps=fields["sweeps"],
            settled=bool(fields["settled"]),
            snapshots=one.snapshots,
        )

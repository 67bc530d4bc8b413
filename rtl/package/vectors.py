"""What the exported bench sends and must get back, from the simulator's results."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from toreq_hw.contract.layout import Layout
from toreq_hw.contract.results import PhaseResult, Status
from toreq_hw.rtl.bus.named_ports import named_ports
from toreq_hw.rtl.interfaces import input_payload, load_payload, summary_payload
from toreq_hw.rtl.parameters import CoreParameters

CHECKED = ("settled", "label", "sweeps", "ticks", "events", "input_events")
"""Fields of a summary that are compared, 32 bits each in a line of results.hex, first lowest.

Saturations, beats and cycles are those of the core alone.
"""

_LINE_BITS = 224


@dataclass(frozen=True)
class Vectors:
    """One relaxation of each image, all phases.

    inputs: int16 (images, input.size). labels: int64 (images,). phases: the simulator's results, as
    many as the core has phases but LEARN, in their order.
    """

    parameters: CoreParameters
    inputs: npt.NDArray[np.int16]
    labels: npt.NDArray[np.int64]
    phases: Sequence[PhaseResult]

    @property
    def row_bits(self) -> int:
        """Bits of a slice of states."""
        return self.parameters.update_lanes * self.parameters.state_bits

    def slices(self, image: int, phase: int) -> list[list[int]]:
        """The states that must come, slice by slice, those of no neuron 0."""
        result = self.phases[phase]
        states = Layout(result.network).join(result.states)[image].astype(np.int64)
        return self._placed(states)

    def held(self) -> list[list[int]]:
        """Slice by slice -1 for lanes that hold a neuron, else 0."""
        size = sum(place.size for place in self.parameters.relaxing)
        return self._placed(np.full(size, -1, dtype=np.int64))

    def rows(self, image: int, phase: int) -> list[int]:
        """The slices of states as words."""
        return [self._word(row) for row in self.slices(image, phase)]

    def masks(self) -> list[int]:
        """Per slice the bits of lanes that hold a neuron."""
        return [self._word(row) for row in self.held()]

    def summary(self, image: int, phase: int) -> dict[str, int]:
        """The fields of `CHECKED` that must come."""
        result = self.phases[phase]
        sweeps = int(result.sweeps[image])
        presented = int(np.count_nonzero(self.inputs[image])) if phase == 0 else 0
        return {
            "settled": int(result.status[image] == Status.SETTLED),
            "label": int(result.classes[image]),
            "sweeps": sweeps,
            "ticks": sweeps * self.parameters.sweep_ticks,
            "events": int(result.events[image]),
            "input_events": presented,
        }

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Image and phase, in the order in which the core answers."""
        for image in range(len(self.inputs)):
            for phase in range(len(self.phases)):
                yield image, phase

    def _placed(self, values: npt.NDArray[np.int64]) -> list[list[int]]:
        """Values of all relaxing neurons, int64 (neurons,), in the lanes of their slices."""
        parameters = self.parameters
        lanes = np.zeros(parameters.groups * parameters.lanes, dtype=np.int64)
        first = 0
        for place in parameters.relaxing:
            at = place.first_group * parameters.lanes
            lanes[at : at + place.size] = values[first : first + place.size]
            first += place.size
        rows: list[list[int]] = lanes.reshape(-1, parameters.update_lanes).tolist()
        return rows

    def _word(self, row: list[int]) -> int:
        bits = self.parameters.state_bits
        mask = (1 << bits) - 1
        return sum((state & mask) << bits * lane for lane, state in enumerate(row))


def hex_files(vectors: Vectors) -> dict[str, str]:
    """The files that bench.v reads by $readmemh."""
    width = input_payload(vectors.parameters)["value"].width
    values = [int(value) & ((1 << width) - 1) for value in vectors.inputs.ravel()]
    results = [
        sum(value << 32 * k for k, value in enumerate(vectors.summary(*pair).values()))
        for pair in vectors.pairs()
    ]
    label_bits = summary_payload(vectors.parameters)["label"].width
    states = [row for pair in vectors.pairs() for row in vectors.rows(*pair)]
    return {
        "inputs.hex": hex_lines(values, width),
        "labels.hex": hex_lines([int(label) for label in vectors.labels], label_bits),
        "states.hex": hex_lines(states, vectors.row_bits),
        "masks.hex": hex_lines(vectors.masks(), vectors.row_bits),
        "results.hex": hex_lines(results, _LINE_BITS),
    }


def json_vectors(vectors: Vectors) -> dict[str, object]:
    """The same for test_core.py. tied: input ports that it holds at 0."""
    driven = ("inputs_", "commands_", "states_ready", "summary_ready")
    tied = [p.name for p in named_ports(vectors.parameters) if p.is_input]
    return {
        "tied": [name for name in tied if not name.startswith(driven)],
        "masks": [f"{mask:x}" for mask in vectors.masks()],
        "images": [
            {
                "inputs": vectors.inputs[image].tolist(),
                "label": int(vectors.labels[image]),
                "phases": [
                    {
                        "rows": [f"{row:x}" for row in vectors.rows(image, phase)],
                        "summary": vectors.summary(image, phase),
                    }
                    for phase in range(len(vectors.phases))
                ],
            }
            for image in range(len(vectors.inputs))
        ],
    }


def sizes(vectors: Vectors) -> str:
    """sizes.vh: what bench.v must know of this core."""
    parameters = vectors.parameters
    load, summary = load_payload(parameters), summary_payload(parameters)
    numbers = {
        "IMAGES": len(vectors.inputs),
        "PHASES": len(vectors.phases),
        "INPUTS": parameters.input.size,
        "SLICES": parameters.slices,
        "ROW_BITS": vectors.row_bits,
        "INPUT_BITS": input_payload(parameters)["value"].width,
        "INDEX_BITS": parameters.input_index_bits,
        "INPUT_EVENT_BITS": summary["input_events"].width,
        "COMMAND_BITS": parameters.command_bits,
        "LABEL_BITS": summary["label"].width,
        "SLICE_BITS": parameters.slice_bits,
        "SWEEP_BITS": parameters.sweep_bits,
        "COUNTER_BITS": parameters.counter_bits,
        **{f"{name.upper()}_BITS": field.width for name, field in load},
    }
    learns = "`define TOREQ_LEARNS\n" if parameters.learning else ""
    return learns + "".join(f"localparam {name} = {n};\n" for name, n in numbers.items())


def hex_lines(words: list[int], bits: int) -> str:
    """As $readmemh reads them, a word a line."""
    digits = -(-bits // 4)
    return "".join(f"{word:0{digits}x}\n" for word in words)

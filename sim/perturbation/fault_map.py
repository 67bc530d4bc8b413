"""A fault map: digital damage spelled out once, to be replayed on any machine, bit for bit.

A JSON file (docs/robustness.md, "Fault maps") that belongs to one network, by hash. It holds no
probabilities and no seeds: which weight reads what, which neuron is stuck, which bit flips when.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.errors import InputError
from toreq_hw.files import write_text
from toreq_hw.network import Network
from toreq_hw.sim.layout import Layout
from toreq_hw.sim.perturbation.disturbance import FREE, NEVER, Disturbance, Fault
from toreq_hw.sim.perturbation.engine import disturbed_engine
from toreq_hw.sim.perturbation.layer import Layer, States, disturb, disturbance, program
from toreq_hw.sim.perturbation.reprogram import with_weights
from toreq_hw.sim.phases import MAX_SWEEPS, relax
from toreq_hw.sim.relaxation import Relaxation

FORMAT = "toreq-hw fault map"
VERSION = 1


@dataclass(frozen=True)
class FaultMap:
    """Rows of plain JSON values; populations and couplings by name, neurons within theirs.

    samples: how many inputs, in order, it is about. weights: (coupling, row, column, what the cell
    reads). stuck: (population, neuron, state). inverted: (population, neuron, mask), of state
    bits; messages: the same, of message bits. frozen: (colour, first tick without updates). states:
    (sample, population, neuron, state), standing states that differ when the phase begins. faults:
    (sample, tick, population, neuron, name of the fault in lower case, bit).
    """

    network_sha256: str
    samples: int
    weights: tuple[tuple[str, int, int, int], ...] = ()
    stuck: tuple[tuple[str, int, int], ...] = ()
    inverted: tuple[tuple[str, int, int], ...] = ()
    messages: tuple[tuple[str, int, int], ...] = ()
    frozen: tuple[tuple[int, int], ...] = ()
    states: tuple[tuple[int, str, int, int], ...] = ()
    faults: tuple[tuple[int, int, str, int, str, int], ...] = ()

    @classmethod
    def make(
        cls,
        network: Network,
        layers: Sequence[Layer],
        samples: int,
        states: States | None = None,
    ) -> "FaultMap":
        """What `layers` do to `network` and to `samples` inputs (standing at `states`, if given).

        Raises InputError for analog layers: noise and converters are no list of faults.
        """
        damaged = program(network, layers)
        if damaged.describe() != network.describe():
            raise InputError("a fault map must keep the weight formats, found an analog layer")
        given = disturbance(damaged, samples, layers)
        if (
            given.noise
            or given.reads
            or not np.array_equal(given.converter, Disturbance.none(network).converter)
        ):
            raise InputError("a fault map must be digital, found noise or a converter")
        if given.stuck_bits.any():
            raise InputError("a fault map must be what every machine replays, found stuck sums")
        if len(given.weight_flips):
            raise InputError("a fault map must keep its weights, found some that flip in a phase")
        name = _names(network)
        moved = [] if states is None else _moved(states, disturb(damaged, states, layers))
        return cls(
            network_sha256=network.sha256,
            samples=samples,
            weights=tuple(_changed(network, damaged)),
            stuck=_pairs(name, given.stuck, given.stuck != FREE),
            inverted=_pairs(name, given.inverted, given.inverted != 0),
            messages=_pairs(name, given.garbled, given.garbled != 0),
            frozen=tuple((c, int(t)) for c, t in enumerate(given.frozen_from) if t != NEVER),
            states=tuple(moved),
            faults=tuple(
                (sample, tick, *name[neuron], Fault(fault).name.lower(), bit)
                for sample, tick, neuron, fault, bit in given.faults.tolist()
            ),
        )

    def save(self, path: Path) -> None:
        """Writes the map in one step, a row a line."""
        record = {"format": FORMAT, "version": VERSION, **asdict(self)}
        entries = []
        for key, value in record.items():
            rows = value if isinstance(value, tuple) else None
            text = json.dumps(value)
            if rows:
                text = "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n ]"
            entries.append(f' "{key}": {text}')
        write_text(path, "{\n" + ",\n".join(entries) + "\n}\n")

    def program(self, network: Network) -> Network:
        """The network with the map's weights. Raises InputError for another network."""
        self.check(network)
        changed = {c.name: c.weight.copy() for c in network.couplings}
        for coupling, row, column, word in self.weights:
            changed[coupling][row, column] = word
        return with_weights(network, changed)

    def disturbance(self, network: Network) -> Disturbance:
        """The map's faults as an engine takes them."""
        start = Layout(network).starts
        given = Disturbance.none(network)
        for name, neuron, value in self.stuck:
            given.stuck[start[name] + neuron] = value
        for name, neuron, mask in self.inverted:
            given.inverted[start[name] + neuron] = mask
        for name, neuron, mask in self.messages:
            given.garbled[start[name] + neuron] = mask
        for colour, tick in self.frozen:
            given.frozen_from[colour] = tick
        rows = [
            (sample, tick, start[name] + neuron, Fault[fault.upper()], bit)
            for sample, tick, name, neuron, fault, bit in self.faults
        ]
        return given.with_faults(np.array(rows, dtype=np.int64).reshape(-1, 5))

    def disturbed(self, states: States) -> States:
        """Standing states with the map's own put in."""
        result = {name: s.copy() for name, s in states.items()}
        for sample, name, neuron, state in self.states:
            result[name][sample, neuron] = state
        return result

    def relax(
        self,
        network: Network,
        inputs: npt.NDArray[np.int16],
        *,
        engine: str = "event",
        states: States | None = None,
        max_sweeps: int = MAX_SWEEPS,
        trace: bool = False,
    ) -> Relaxation:
        """Replays the map on any engine, to the same bits.

        Raises InputError for another network or number of samples.
        """
        if len(inputs) != self.samples:
            raise InputError(f"inputs must be the map's {self.samples}, not {len(inputs)}")
        damaged = self.program(network)
        runner = (
            disturbed_engine(damaged, self.disturbance(network), engine)
            if self.acts_in_phase
            else engine
        )
        start = None if states is None else self.disturbed(states)
        return relax(
            damaged, inputs, engine=runner, states=start, max_sweeps=max_sweeps, trace=trace
        )

    @property
    def acts_in_phase(self) -> bool:
        """Whether it holds more than weights and standing states."""
        return bool(self.stuck or self.inverted or self.messages or self.frozen or self.faults)

    def check(self, network: Network) -> None:
        """Raises InputError unless the map belongs to `network`."""
        if self.network_sha256 != network.sha256:
            raise InputError(
                f"the fault map must belong to this network ({network.sha256[:12]}..), "
                f"found one for {self.network_sha256[:12]}.."
            )


def load(path: Path, network: Network) -> FaultMap:
    """Reads and checks a map for `network`. Raises InputError naming the file."""
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["format"] != FORMAT or record["version"] != VERSION:
            raise InputError(f"must be a {FORMAT!r} of version {VERSION}")
        rows: dict[str, Any] = {
            k: tuple(tuple(row) for row in v) if isinstance(v, list) else v
            for k, v in record.items()
            if k not in ("format", "version")
        }
        found = FaultMap(**rows)
        found.check(network)
        _check_rows(found, network)
    except OSError as error:
        raise InputError(f"{path}: must be readable, found: {error.strerror}") from error
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise InputError(f"{path}: must be a whole fault map, found: {error}") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return found


def _check_rows(fault_map: FaultMap, network: Network) -> None:
    """Builds everything once; whatever does not fit the network shows itself."""
    shapes = {c.name: c.weight.shape for c in network.couplings}
    for coupling, row, column, _ in fault_map.weights:
        _check_index(row, shapes[coupling][0], f"row of {coupling}")
        _check_index(column, shapes[coupling][1], f"column of {coupling}")
    neurons = [(n, k) for n, k, _ in (*fault_map.stuck, *fault_map.inverted, *fault_map.messages)]
    neurons += [(n, k) for _, n, k, _ in fault_map.states]
    neurons += [(n, k) for _, _, n, k, _, _ in fault_map.faults]
    for name, neuron in neurons:
        _check_index(neuron, {p.name: p.size for p in network.relaxing}[name], f"neuron of {name}")
    for sample in [s for s, *_ in (*fault_map.states, *fault_map.faults)]:
        _check_index(sample, fault_map.samples, "sample")
    for colour, _ in fault_map.frozen:
        _check_index(colour, len(network.colours), "colour")
    for bit in [f[5] for f in fault_map.faults]:
        _check_index(bit, 32, "bit")
    fault_map.program(network)
    fault_map.disturbance(network)


def _check_index(value: Any, count: int, what: str) -> None:
    if not isinstance(value, int) or not 0 <= value < count:
        raise InputError(f"{what} must be in 0..{count - 1}, not {value!r}")


def _names(network: Network) -> list[tuple[str, int]]:
    return [(p.name, k) for p in network.relaxing for k in range(p.size)]


def _pairs(
    name: list[tuple[str, int]], values: npt.NDArray[np.int16], where: npt.NDArray[np.bool_]
) -> tuple[tuple[str, int, int], ...]:
    return tuple((*name[i], int(values[i])) for i in np.flatnonzero(where))


def _changed(network: Network, damaged: Network) -> list[tuple[str, int, int, int]]:
    rows = []
    for before, after in zip(network.couplings, damaged.couplings, strict=True):
        for row, column in np.argwhere(before.weight != after.weight).tolist():
            rows.append((before.name, row, column, int(after.weight[row, column])))
    return rows


def _moved(before: States, after: States) -> list[tuple[int, str, int, int]]:
    rows = []
    for name, states in before.items():
        for sample, neuron in np.argwhere(states != after[name]).tolist():
            rows.append((sample, name, neuron, int(after[name][sample, neuron])))
    return rows

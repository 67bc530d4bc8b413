"""A fault map: digital damage spelled out once, to be replayed on any machine, bit for bit.

A JSON file (docs/robustness.md, "Fault maps") that belongs to one network, by hash. It holds no
probabilities and no seeds: which weight reads what, which neuron is stuck, which bit flips when.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.fault_rows import COLUMNS, check_rows, plain_rows
from toreq_hw.contract.faults import FAULTS, FREE, NEVER, Fault
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.contract.results import PhaseResult
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.files import write_text
from toreq_hw.network import Network
from toreq_hw.reading import integer, read_fields, shown, text
from toreq_hw.sim.perturbation import map_rows
from toreq_hw.sim.perturbation.disturbance import Disturbance
from toreq_hw.sim.perturbation.engine import disturbed_engine
from toreq_hw.sim.perturbation.layer import (
    Layer,
    LearningLayer,
    States,
    disturb,
    disturbance,
    program,
)
from toreq_hw.sim.perturbation.reprogram import with_weights
from toreq_hw.sim.perturbation.stuck_latents import StuckLatentBits
from toreq_hw.sim.phases import relax

FORMAT = "toreq-hw fault map"
VERSIONS = (1, 2, 3)
"""A writer states the first that has all entries of a map."""

_SINCE = {"parameters": 2, "latents": 3}
"""Entries that came after the first version."""

_MAX_FILE_BYTES = 1 << 28
_MAX_SAMPLES = (1 << 31) - 1


@named_type_errors
@dataclass(frozen=True)
class FaultMap:
    """Rows of plain JSON values; populations and couplings by name, neurons within theirs.

    samples: how many inputs, in order, it is about. weights: (coupling, row, column, what the cell
    of its matrix reads). parameters: (coupling that is not dense, flat parameter, what all its
    edges read). latents: (coupling, row, column, masks of its latent's bits that are stuck at 0,
    and at 1). stuck: (population, neuron, state). inverted: (population, neuron, mask), of state
    bits; messages: the same, of message bits. frozen: (colour, first tick without updates). states:
    (sample, population, neuron, state), standing states that differ when the phase begins. faults:
    (sample, tick, population, neuron, name of the fault in lower case, bit).

    Raises InputError for rows of other types, ticks below 1 and places listed twice; `check`
    for what does not fit a network.
    """

    network_sha256: str
    samples: int
    weights: tuple[tuple[str, int, int, int], ...] = ()
    parameters: tuple[tuple[str, int, int], ...] = ()
    latents: tuple[tuple[str, int, int, int, int], ...] = ()
    stuck: tuple[tuple[str, int, int], ...] = ()
    inverted: tuple[tuple[str, int, int], ...] = ()
    messages: tuple[tuple[str, int, int], ...] = ()
    frozen: tuple[tuple[int, int], ...] = ()
    states: tuple[tuple[int, str, int, int], ...] = ()
    faults: tuple[tuple[int, int, str, int, str, int], ...] = ()

    def __post_init__(self) -> None:
        text(self.network_sha256, "network_sha256", InputError)
        integer(self.samples, 0, _MAX_SAMPLES, "samples", InputError)
        for name in COLUMNS:
            object.__setattr__(self, name, plain_rows(name, getattr(self, name)))

    @classmethod
    def make(
        cls,
        network: Network,
        layers: Sequence[Layer],
        samples: int,
        states: States | None = None,
    ) -> "FaultMap":
        """What `layers` do to `network` and to `samples` inputs (standing at `states`, if given).

        Raises InputError for analog layers: noise, converters and uneven updates are no list of
        faults.
        """
        damaged = program(network, layers)
        if damaged.lowered.describe() != network.lowered.describe():
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
        name = map_rows.names(network)
        moved = []
        if states is not None:
            moved = map_rows.state_rows(states, disturb(damaged, states, layers))
        return cls(
            network_sha256=network.sha256,
            samples=samples,
            weights=tuple(map_rows.weight_rows(network, damaged)),
            parameters=tuple(map_rows.parameter_rows(network, damaged)),
            latents=tuple(chain.from_iterable(_latent_rows(layer, network) for layer in layers)),
            stuck=map_rows.pairs(name, given.stuck, given.stuck != FREE),
            inverted=map_rows.pairs(name, given.state_xor_mask, given.state_xor_mask != 0),
            messages=map_rows.pairs(name, given.message_xor_mask, given.message_xor_mask != 0),
            frozen=tuple((c, int(t)) for c, t in enumerate(given.frozen_from) if t != NEVER),
            states=tuple(moved),
            faults=tuple(
                (sample, tick, *name[neuron], Fault(fault).name.lower(), bit)
                for sample, tick, neuron, fault, bit in given.faults.tolist()
            ),
        )

    def save(self, path: Path) -> None:
        """Writes the map in one step, a row a line."""
        record = {"format": FORMAT, "version": self.version, **asdict(self)}
        for name in _SINCE:
            if not record[name]:
                del record[name]
        entries = []
        for key, value in record.items():
            rows = value if isinstance(value, tuple) else None
            text = json.dumps(value)
            if rows:
                text = "[\n" + ",\n".join(f"  {json.dumps(row)}" for row in rows) + "\n ]"
            entries.append(f' "{key}": {text}')
        write_text(path, "{\n" + ",\n".join(entries) + "\n}\n")

    @property
    def version(self) -> int:
        """The first version of the file that has all its entries."""
        return max((_SINCE[name] for name in _SINCE if getattr(self, name)), default=1)

    def program(self, network: Network) -> Network:
        """The network with the map's weights. Raises InputError for another network."""
        self.check(network)
        changed = {c.name: c.parameters.copy() for c in network.couplings}
        for name, parameter, word in self.parameters:
            changed[name].flat[parameter] = word
        try:
            found = with_weights(network, changed)
            return self._with_cells(found) if self.weights else found
        except NetworkError as error:
            raise InputError(f"weights must leave a network that runs, found: {error}") from error

    def _with_cells(self, network: Network) -> Network:
        """The default lowering with the map's cells: a cell need not be a whole parameter."""
        changed = {c.name: c.weight.copy() for c in network.dense_couplings}
        for coupling, row, column, word in self.weights:
            changed[coupling][row, column] = word
        return with_weights(network.lowered, changed)

    def disturbance(self, network: Network) -> Disturbance:
        """The map's faults as an engine takes them, those of one tick in the order of the rows.

        Raises InputError for another network.
        """
        self.check(network)
        start = Layout(network).starts
        given = Disturbance.none(network)
        for name, neuron, value in self.stuck:
            given.stuck[start[name] + neuron] = value
        for name, neuron, mask in self.inverted:
            given.state_xor_mask[start[name] + neuron] = mask
        for name, neuron, mask in self.messages:
            given.message_xor_mask[start[name] + neuron] = mask
        for colour, tick in self.frozen:
            given.frozen_from[colour] = tick
        rows = [
            (sample, tick, start[name] + neuron, FAULTS[fault], bit)
            for sample, tick, name, neuron, fault, bit in self.faults
        ]
        faults = np.array(rows, dtype=np.int64).reshape(-1, 5)
        return replace(given, faults=faults[np.lexsort((faults[:, 1], faults[:, 0]))])

    def apply_states(self, states: States) -> States:
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
    ) -> PhaseResult:
        """Replays the map on any engine, to the same bits.

        Raises InputError for another network or number of samples, and for a map of standing
        states without `states`.
        """
        self.check_holds_weights()
        if len(inputs) != self.samples:
            raise InputError(f"inputs must be the map's {self.samples}, not {len(inputs)}")
        damaged = self.program(network)
        if self.states and states is None:
            raise InputError("states must be given to a map of standing states, found none")
        runner = (
            disturbed_engine(damaged, self.disturbance(network), engine)
            if self.acts_in_phase
            else engine
        )
        start = None if states is None else self.apply_states(states)
        return relax(
            damaged, inputs, engine=runner, states=start, max_sweeps=max_sweeps, trace=trace
        )

    @property
    def acts_in_phase(self) -> bool:
        """Whether it holds more than weights and standing states."""
        return bool(self.stuck or self.inverted or self.messages or self.frozen or self.faults)

    def check_holds_weights(self) -> None:
        """Raises InputError for a map of latents: a machine that only relaxes holds none."""
        if self.latents:
            raise InputError(
                "latents of a fault map must be replayed on a machine that learns; this one holds "
                "weights"
            )

    def check(self, network: Network) -> None:
        """Raises InputError unless the map belongs to `network` and every row of it fits.

        What was checked once is not checked again: neither a map nor a network changes.
        """
        if self.network_sha256 != network.sha256:
            raise InputError(
                f"the fault map must belong to this network ({network.sha256[:12]}..), "
                f"found one for {shown(self.network_sha256[:12])}.."
            )
        if "_fits" not in self.__dict__:
            check_rows({name: getattr(self, name) for name in COLUMNS}, self.samples, network)
            self.__dict__["_fits"] = True


@named_type_errors
def load(path: Path, network: Network) -> FaultMap:
    """Reads and checks a map for `network`. Raises InputError naming the file."""
    fields = read_fields(path, _MAX_FILE_BYTES, InputError)
    fields.only(["format", "version", "network_sha256", "samples", *COLUMNS])
    if fields.text("format") != FORMAT:
        raise fields.error("format", f"be {FORMAT!r}", fields.text("format"))
    version = fields.integer("version")
    if version not in VERSIONS:
        raise fields.error("version", "be 1, 2 or 3", version)
    for name, since in _SINCE.items():
        if version < since and name in fields:
            raise fields.error("version", f"be {since} with {name}", version)
    rows = {name: tuple(fields.items(name)) for name in COLUMNS if name in fields}
    try:
        found = FaultMap(fields.text("network_sha256"), fields.integer("samples"), **rows)
        found.program(network)
    except InputError as error:
        message = str(error).removeprefix(f"{path}: ")
        raise InputError(f"{path}: {message}") from error
    return found


def _latent_rows(layer: Layer, network: Network) -> list[tuple[str, int, int, int, int]]:
    if isinstance(layer, StuckLatentBits):
        return layer.rows(network)
    if isinstance(layer, LearningLayer):
        raise InputError(f"a fault map must be digital, found the layer {layer.kind}")
    return []

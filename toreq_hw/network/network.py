"""The network: populations, couplings, biases, schedule and nudge, checked as a whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError
from toreq_hw.json_values import JsonObject
from toreq_hw.network.bounds import accumulator_range, check_accumulators, largest_fraction_bits
from toreq_hw.network.checks import check_beta_shift, check_roles, check_terminals, checked_biases
from toreq_hw.network.clamping import check_clamped
from toreq_hw.network.couplings import Coupling, DenseCoupling, lowered
from toreq_hw.network.encoding import Encoding, check_encoding
from toreq_hw.network.feedback import asymmetric, check_feedback, depths
from toreq_hw.network.neuron_set import Colour
from toreq_hw.network.population import Population, Role
from toreq_hw.network.projection import Projection, projections
from toreq_hw.network.readout import ClampedReadout, check_readout
from toreq_hw.network.schedule import Colouring, Schedule
from toreq_hw.network.shown import Shown
from toreq_hw.network.sweep import Sweep
from toreq_hw.network.term_colours import check_colours
from toreq_hw.network.trilinear import TermShare, Trilinear, check_terms, term_shares
from toreq_hw.reading import shown


@named_type_errors
@dataclass(frozen=True, eq=False, repr=False)
class Network(Shown):
    """What is computed, whatever the machine: docs/numerics.md says how, to the bit.

    populations: in file order; exactly one input and one output.
    couplings: at most one per ordered pair; the input is never a `post`. Their feedback shifts
        must be differences of depths, see `depths`.
    biases: int32 array, shape (size,), for every population but the input, in units of the
        accumulator's LSB 2^-F; a missing one is zero. Of a population with one bias a channel,
        (channels,) may be given; here it is (size,) with equal biases in a channel.
    beta_shift: the nudge strength is beta = 2^-beta_shift.
    readout: of an output that never updates; None for one that relaxes.
    clamped: populations that keep their states, the input among them, in a network that `clamping`
        made for one phase; empty in all others, where only the input does.
    terms: trilinear ones, which have no weights.
    encoding: how features become inputs, where the network was trained on features.

    Raises NetworkError where anything does not fit together, including an accumulator that
    could leave 32 bits.
    """

    populations: tuple[Population, ...]
    couplings: tuple[Coupling, ...]
    biases: Mapping[str, npt.NDArray[np.int32]]
    schedule: Schedule | Colouring = Schedule.PARITY
    beta_shift: int = 1
    readout: ClampedReadout | None = None
    clamped: frozenset[str] = frozenset()
    terms: tuple[Trilinear, ...] = ()
    encoding: Encoding | None = None

    def __post_init__(self) -> None:
        for name in ("populations", "couplings", "terms"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        check_roles(self.populations)
        of_phase = bool(self.clamped)
        check_terminals(self.populations, self.couplings, of_phase=of_phase)
        check_clamped(self)
        if not isinstance(self.schedule, Schedule | Colouring):
            raise NetworkError(
                f"schedule must be a Schedule or a Colouring, not {shown(self.schedule)}"
            )
        check_beta_shift(self.beta_shift)
        object.__setattr__(self, "biases", checked_biases(self.populations, self.biases))
        check_feedback(self.populations, self.couplings, of_phase=of_phase)
        check_terms(self)
        _ = self.depths  # refuses feedback shifts under which no energy exists
        # `colours` refuses a schedule that the couplings do not allow
        check_colours(self.colours, self.updating, self.couplings, self.terms)
        _ = self.row_tables  # refuses thresholds that do not rise
        check_readout(self)
        check_encoding(self)
        check_accumulators(self)

    def population(self, name: str) -> Population:
        """The population called `name`. Raises NetworkError if there is none."""
        for population in self.populations:
            if population.name == name:
                return population
        known = ", ".join(p.name for p in self.populations)
        raise NetworkError(f"population must be one of {known}, not {shown(name)}")

    def accumulator_fraction_bits(self, name: str) -> int:
        """F of docs/numerics.md: the largest fraction bits of what arrives at a population."""
        return largest_fraction_bits(self.couplings, name, self.terms)

    @cached_property
    def largest_sums(self) -> Mapping[str, int]:
        """Largest magnitude of an accumulator of each relaxing population, nudge included."""
        ranges = {p.name: accumulator_range(self, p.name) for p in self.relaxing}
        largest = {n: max(-int(low.min()), int(high.max())) for n, (low, high) in ranges.items()}
        return MappingProxyType(largest)

    @cached_property
    def dense_couplings(self) -> tuple[DenseCoupling, ...]:
        """Every coupling by its default lowering: a matrix (pre.size, post.size) each."""
        return tuple(lowered(coupling) for coupling in self.couplings)

    @cached_property
    def lowered(self) -> "Network":
        """The network of dense couplings with the same states in every tick; itself if it is one.

        For machines that store whole matrices and a bias a neuron: costs and ranges for any
        weights are theirs.
        """
        couplings, populations = self.dense_couplings, tuple(p.plain for p in self.populations)
        if all(a is b for a, b in zip(self.couplings, couplings, strict=True)) and (
            all(a is b for a, b in zip(self.populations, populations, strict=True))
        ):
            return self
        return replace(self, couplings=couplings, populations=populations)

    @cached_property
    def projections(self) -> tuple[Projection, ...]:
        """Every direction of every coupling: file order, forward before backward."""
        return projections(self)

    @property
    def forward_projections(self) -> tuple[Projection, ...]:
        """One projection a coupling, from pre to post, in file order."""
        return tuple(p for p in self.projections if not p.backward)

    def into(self, name: str) -> tuple[Projection, ...]:
        """The projections whose target is population `name`, couplings in file order."""
        return tuple(p for p in self.projections if p.target.name == name)

    def out_of(self, name: str) -> tuple[Projection, ...]:
        """The projections whose source is population `name`, couplings in file order."""
        return tuple(p for p in self.projections if p.source.name == name)

    @cached_property
    def term_shares(self) -> tuple[TermShare, ...]:
        """What every trilinear term adds to each of its populations, in file order."""
        return term_shares(self)

    def shares_into(self, name: str) -> tuple[TermShare, ...]:
        """The shares whose target is population `name`, terms in file order."""
        return tuple(share for share in self.term_shares if share.target.name == name)

    @cached_property
    def row_tables(self) -> Mapping[str, tuple[int, ...]]:
        """Thresholds of each population of budget rows, as many as its budget.

        Raises NetworkError where they do not rise strictly.
        """
        bits = self.accumulator_fraction_bits
        tables = {p.name: p.rows.table(bits(p.name)) for p in self.updating if p.rows is not None}
        return MappingProxyType(tables)

    @cached_property
    def input(self) -> Population:
        """The clamped population."""
        return next(p for p in self.populations if p.role is Role.INPUT)

    @cached_property
    def output(self) -> Population:
        """The population that is nudged and read out."""
        return next(p for p in self.populations if p.role is Role.OUTPUT)

    @cached_property
    def relaxing(self) -> tuple[Population, ...]:
        """Every population but the input, in file order: those that have accumulators."""
        return tuple(p for p in self.populations if p.role is not Role.INPUT)

    @cached_property
    def updating(self) -> tuple[Population, ...]:
        """Those of `relaxing` that a sweep updates: all, or all but what is clamped."""
        held = set(self.clamped)
        if self.readout is not None:
            held.add(self.output.name)
        return tuple(p for p in self.relaxing if p.name not in held)

    @cached_property
    def budget_table(self) -> npt.NDArray[np.int64]:
        """Thresholds of a clamped readout, int64 (s_max of the output,); empty for a relaxing one.

        Raises NetworkError where they do not rise strictly.
        """
        table = () if self.readout is None else self.readout.table(self)
        return np.array(table, dtype=np.int64)

    @cached_property
    def depths(self) -> Mapping[str, int]:
        """Depth d of each population that updates: the feedback shift of a coupling between two of
        them is d of its post minus d of its pre. The smallest in each connected part is 0.
        """
        return depths(self.updating, self.couplings, self.terms)

    @cached_property
    def has_energy(self) -> bool:
        """Whether couplings between populations that update hold both ways alike.

        Only then do changes lower an energy (docs/numerics.md, section 4).
        """
        return not asymmetric(self.updating, self.couplings)

    @cached_property
    def sweep(self) -> Sweep:
        """What a sweep updates, tick by tick, and what a reader may rely on."""
        return Sweep(self.schedule, self.updating, self.couplings)

    @property
    def colours(self) -> tuple[Colour, ...]:
        """The colours of one sweep, in tick order."""
        return self.sweep.colours

    @property
    def is_chain(self) -> bool:
        """Whether each population but the last has one coupling, to the next in file order."""
        names = [p.name for p in self.populations]
        return [(c.pre, c.post) for c in self.couplings] == list(pairwise(names))

    @property
    def synapses(self) -> int:
        """Number of stored weights, zeros included."""
        return sum(stored.size for stored in self._stored)

    @property
    def _stored(self) -> list[npt.NDArray[np.int8]]:
        """Every array of stored weights, those of feedback of its own as well."""
        own = [c.own_feedback.weight for c in self.couplings if c.own_feedback is not None]
        return [*(c.parameters for c in self.couplings), *own]

    @property
    def sparsity(self) -> float:
        """Fraction of stored weights that are zero (0.0 without weights)."""
        zeros = sum(int(np.count_nonzero(stored == 0)) for stored in self._stored)
        return zeros / self.synapses if self.synapses else 0.0

    def describe(self) -> JsonObject:
        """The network without its tensors, as plain JSON values (see docs/numerics.md)."""
        return {
            "populations": [p.describe() for p in self.populations],
            "couplings": [c.describe() for c in self.couplings],
            "schedule": self.sweep.describe(),
            "nudge": {"beta_shift": self.beta_shift},
            **({"readout": self.readout.describe()} if self.readout is not None else {}),
            **({"terms": [term.describe() for term in self.terms]} if self.terms else {}),
            **({"encoding": self.encoding.describe()} if self.encoding is not None else {}),
        }

    def tensors(self) -> dict[str, npt.NDArray[Any]]:
        """The couplings' tensors, `<population>.bias` int32, `<population>.colour` int32.

        In file order. A dense coupling has one, `<coupling>.weight` int8 (pre.size, post.size). A
        bias is (size,), or (channels,) of a population with one a channel. Colours are (size,), and
        only there where a colouring is stored.
        """
        found: dict[str, npt.NDArray[Any]] = {}
        for coupling in self.couplings:
            found |= coupling.tensors()
        found |= {f"{p.name}.bias": self.biases[p.name][: p.biases] for p in self.relaxing}
        return found | self._colours()

    def structure(self) -> dict[str, npt.NDArray[Any]]:
        """The tensors that say which neurons are joined and which are updated together, by name."""
        found = self._colours()
        for coupling in self.couplings:
            found |= {f"{coupling.name}.{end}": t for end, t in coupling.structure().items()}
        return found

    def _colours(self) -> dict[str, npt.NDArray[Any]]:
        if not self.sweep.has_stored_colours:
            return {}
        return {f"{p.name}.colour": self.sweep.colour_of(p.name) for p in self.updating}

    @property
    def file_version(self) -> int:
        """First version of the network file that can hold it."""
        versions = [p.file_version for p in self.populations]
        versions += [c.needed_version for c in self.couplings]
        versions += [2 if self.readout is not None or self.terms or self.encoding else 1]
        return max(*versions, self.sweep.file_version)

    @cached_property
    def sha256(self) -> str:
        """Hash of what the network is: its description and every tensor's bytes."""
        digest = hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode())
        for name, tensor in self.tensors().items():
            digest.update(f"{name}:{tensor.shape}:".encode())
            digest.update(np.ascontiguousarray(tensor, tensor.dtype.newbyteorder("<")).tobytes())
        return digest.hexdigest()

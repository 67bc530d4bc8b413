"""Learning on chip: integers only, one sample at a time (docs/numerics.md, section 6).

trainer = Trainer(layered((64, 128, 10), WeightFormat.TERNARY, (4, 4)), Rule(), seed=1)
trainer.learn(inputs, labels, sample_order(len(inputs), seed=1, epoch=0))
trained = trainer.network()
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from math import prod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.arrays import whole_numbers
from toreq_hw.contract.cycles import cycles_of
from toreq_hw.contract.headroom import check_headroom
from toreq_hw.contract.layout import Layout
from toreq_hw.contract.learning import BIAS_GUARD_BITS
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.errors import InputError
from toreq_hw.network import (
    Coupling,
    DenseCoupling,
    Network,
    check_classes,
    check_states,
    require_input_clamped,
)
from toreq_hw.network.generator import Stream, seed_state
from toreq_hw.sim.event_kernel import Rules
from toreq_hw.sim.learning import kernel
from toreq_hw.sim.learning.generator import fill_uniform
from toreq_hw.sim.learning.parts import Part, own_feedback_of, parts_of
from toreq_hw.sim.learning.rule import MAX_EPOCH, Rule, check_integer
from toreq_hw.sim.learning.sample_kernel import NudgedOutput
from toreq_hw.sim.learning.synapses import (
    bias_latents_of,
    blank_synapses,
    check_latents,
    latents_in,
    latents_of,
    weights_of,
)
from toreq_hw.sim.plan import Ints, compile_plan
from toreq_hw.sim.scratch import new_scratch


class Rates(NamedTuple):
    """k per part (see `parts_of`), -1 for one that stays; and per relaxing population's biases."""

    shift: Ints
    bias_shift: Ints


@dataclass(frozen=True)
class Progress:
    """What a run of samples went through; counts over the free and both nudged phases.

    correct: samples whose free phase, before its update, gave the right class.
    """

    samples: int
    correct: int
    sweeps: int
    unsettled: int
    events: int

    def __add__(self, other: "Progress") -> "Progress":
        return Progress(
            self.samples + other.samples,
            self.correct + other.correct,
            self.sweeps + other.sweeps,
            self.unsettled + other.unsettled,
            self.events + other.events,
        )


@named_type_errors
class Trainer:
    """A network that learns in place; its whole state is latents, generator and epoch.

    network: the shape to train (`blueprint`). New random weights replace its own, and biases
    start at 0 whatever its own are; `from_network` goes on from both. seed: of the first weights
    and of the stochastic rounding, 0 .. 2^32 - 1.

    Raises InputError for a rule that does not fit, or a network whose accumulators could leave
    32 bits under some weights.
    """

    runs_lowered: ClassVar[bool] = False
    """Whether phases run on the default lowering, whose cells can be damaged one by one."""

    max_sweeps: int = MAX_SWEEPS
    """Where a phase ends that does not settle."""

    def __init__(self, network: Network, rule: Rule, seed: int) -> None:
        check_integer("seed", seed, 0, (1 << 32) - 1)
        require_input_clamped(network, "for learning", InputError)
        names = [c.name for c in network.couplings]
        for setting in ("shifts", "own_latent_bits"):
            for name in getattr(rule, setting):
                if name not in names:
                    raise InputError(
                        f"{setting} must name couplings ({', '.join(names)}), not {name!r}"
                    )
        names = [p.name for p in network.relaxing]
        for name in rule.bias_shifts:
            if name not in names:
                raise InputError(
                    f"bias_shifts must name populations ({', '.join(names)}), not {name!r}"
                )
        check_headroom(network)
        self.rule = rule
        self.seed = seed
        self.epoch = 0
        self.blueprint = network
        self.parts = parts_of(network)
        plan = compile_plan(network.lowered if self.runs_lowered else network)
        self._plan = plan._replace(weights=plan.weights.copy(), bias=plan.bias.copy())
        bits = [rule.latent_bits_of(c.name) for c in network.couplings]
        self.synapses = blank_synapses(network, plan, rule.theta, bits, lowered=self.runs_lowered)
        self._scratch = new_scratch(plan, network.input.size)
        self.random_state = np.uint32(seed_state(seed, Stream.ROUNDING))
        self._learn_samples: Callable[..., Any] = kernel.learn_samples
        self._set_random_latents()
        self.program()

    @classmethod
    def from_network(cls, network: Network, rule: Rule, seed: int, epoch: int = 0) -> "Trainer":
        """A trainer that goes on from a network's own weights and biases, at the rates of `epoch`.

        The file holds no latents: see `latents_of` and `bias_latents_of` for where they start.
        Raises InputError for a bias that is too large to be learned.
        """
        trainer = cls(network, rule, seed)
        trainer.epoch = epoch
        for number, part in enumerate(trainer.parts):
            theta = int(trainer.synapses.theta[number])
            dropped = int(trainer.synapses.dropped[number])
            trainer.latents(number)[...] = latents_of(part.coupling.parameters, theta, dropped)
        bias = np.concatenate([network.biases[p.name] for p in network.relaxing])
        trainer.synapses.bias_latent[:] = bias_latents_of(bias)
        trainer.program()
        return trainer

    def learn(self, inputs: npt.ArrayLike, labels: npt.ArrayLike, order: npt.ArrayLike) -> Progress:
        """Learns the samples that `order` names, one after another, with this epoch's rates.

        inputs: integers (samples, input.size); labels: (samples,), or (samples, rows) of a readout
        with several; order: numbers of samples, in any order and number. Raises InputError.
        """
        network = self.blueprint
        inputs = check_states(network.input, inputs)
        classes = check_classes(network, labels, len(inputs)).reshape(len(inputs), -1)
        learned = whole_numbers("order", order, ("samples",), 0, len(inputs) - 1)
        rates = Rates(
            np.array([self._shift_of(part) for part in self.parts]),
            np.array([self.rule.bias_shift_of(p.name, self.epoch) for p in network.relaxing]),
        )
        counters = np.zeros(4, dtype=np.int64)
        state = self._learn_samples(
            plan=self._plan,
            synapses=self.synapses,
            rates=rates,
            output=self._nudged_output(),
            rules=Rules(
                threshold=0,
                max_sweeps=self.max_sweeps,
                cycles=int(cycles_of(network)),
            ),
            inputs=inputs,
            labels=classes,
            order=np.ascontiguousarray(learned, dtype=np.int64),
            scratch=self._scratch,
            random_state=self.random_state,
            counters=counters,
        )
        self.random_state = np.uint32(state)
        return Progress(len(learned), *(int(count) for count in counters))

    def _shift_of(self, part: Part) -> int:
        name = self.blueprint.couplings[part.number].name
        return self.rule.shift_of(name, self.epoch) if part.learns else -1

    def network(self) -> Network:
        """The network as it stands, an independent copy."""
        couplings = list(self.blueprint.couplings)
        for number, part in enumerate(self.parts):
            coupling = couplings[part.number]
            if part.feedback:
                own = own_feedback_of(part, self._weights(number), learned=part.learns)
                couplings[part.number] = replace(coupling, own_feedback=own)
                continue
            dense = isinstance(coupling, DenseCoupling)
            stored = self._matrix(number) if dense else self._weights(number)
            couplings[part.number] = coupling.with_parameters(stored)
        return self._with_couplings(couplings)

    def _with_couplings(self, couplings: Iterable[Coupling]) -> Network:
        """The blueprint with other couplings, and the biases as they stand."""
        network, layout = self.blueprint, Layout(self.blueprint)
        biases = {p.name: self._plan.bias[layout.of(p)] for p in network.relaxing}
        return replace(network, couplings=tuple(couplings), biases=biases)

    def _matrix(self, index: int) -> npt.NDArray[np.int8]:
        """The matrix of one coupling as the plan holds it, int8 (n_pre, n_post)."""
        start, shape = self.synapses.forward[index], self.blueprint.couplings[index].shape
        return self._plan.weights[start : start + prod(shape)].reshape(shape)

    def _weights(self, index: int) -> npt.NDArray[np.int8]:
        """The weights that the latents of one part stand for, of its parameters' shape."""
        return weights_of(self.latents(index), int(self.synapses.theta[index]))

    def program(self) -> None:
        """Sets every weight and bias from its latent, as after a change of latents by hand.

        Raises InputError for latents out of range, an epoch below 0, or a generator at 0.
        """
        synapses = self.synapses
        check_latents(self.blueprint, synapses)
        check_integer("epoch", self.epoch, 0, MAX_EPOCH)
        check_integer("random_state", int(self.random_state), 1, (1 << 32) - 1)
        for number, part in enumerate(self.parts):
            weights = self._weights(number)
            if isinstance(part.coupling, DenseCoupling):
                self._program(number, weights)
            else:
                synapses.shared.program(self._plan, number, weights)
        self._plan.bias[:] = synapses.bias_latent >> BIAS_GUARD_BITS

    def _program(self, index: int, matrix: npt.NDArray[np.int8]) -> None:
        """Writes the matrix of one coupling, int8 (n_pre, n_post), for both of its directions."""
        forward, backward = self.synapses.forward[index], self.synapses.backward[index]
        for start, rows in ((forward, matrix), (backward, matrix.T)):
            if start >= 0:
                self._plan.weights[start : start + matrix.size] = rows.ravel()

    def take_over(self, other: "Trainer") -> None:
        """Copies another trainer's whole state; the two must have the same blueprint."""
        self.epoch = other.epoch
        self.random_state = other.random_state
        self.synapses.latent[:] = other.synapses.latent
        self.synapses.bias_latent[:] = other.synapses.bias_latent
        self.program()

    def latents(self, part: int) -> npt.NDArray[np.int16]:
        """A view of the latents of one part, int16, of its parameters' shape.

        part: its number in `parts`; couplings come first, in file order. A dense coupling has
        (n_pre, n_post) of them, its feedback (n_post, n_pre).
        """
        return latents_in(self.synapses, part, self.parts[part].coupling.parameters.shape)

    def _set_random_latents(self) -> None:
        """Row-major, all parts in order; a dense self-coupling gets its upper triangle so."""
        state = np.uint32(seed_state(self.seed, Stream.INITIAL_WEIGHTS))
        for number, part in enumerate(self.parts):
            latents, free = self.latents(number), part.coupling.free_parameters()
            random_latents = np.zeros(len(free), dtype=np.int16)
            dropped = int(self.synapses.dropped[number])
            largest = self.rule.initial_reach >> dropped
            state = np.uint32(fill_uniform(random_latents, largest, state))
            latents.flat[free] = random_latents << dropped
            latents[...] = part.coupling.mirrored(latents)

    def _nudged_output(self) -> NudgedOutput:
        """Where the output population lies, and what nudges it."""
        output = self.blueprint.output
        span = Layout(self.blueprint).of(output)
        return NudgedOutput(
            start=span.start,
            stop=span.stop,
            target=output.state_max,
            fraction_bits=self.blueprint.accumulator_fraction_bits(output.name),
            beta_shift=self.blueprint.beta_shift,
            table=self.blueprint.budget_table,
            rows=1 if self.blueprint.readout is None else self.blueprint.readout.rows,
        )

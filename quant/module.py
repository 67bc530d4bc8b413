"""A network as a `torch.nn.Module`, for inference: exact integers, the simulator's own states.

module = EquilibriumModule(net, inputs="pixels").to("cuda")
module(images).argmax(dim=1), module.relax(images).states["hidden"]
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import round_shift
from toreq_hw.contract.limits import MAX_SWEEPS
from toreq_hw.data import encode, input_states
from toreq_hw.errors import InputError
from toreq_hw.network import (
    Block,
    Need,
    Network,
    Population,
    Projection,
    require,
    require_pairs,
)
from toreq_hw.network.encoding import PIXEL_MAX
from toreq_hw.suggestions import none_of

INPUTS = ("states", "features", "pixels")
"""What a module can take."""


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """Where a batch settled. states: int16 (batch, size) by relaxing population, and the input.

    scores: int64 (batch, output.size), what ranks the classes: output states, or the accumulators
    of a clamped readout. sweeps: int32 (batch,). settled: bool (batch,).
    """

    states: dict[str, torch.Tensor]
    scores: torch.Tensor
    sweeps: torch.Tensor
    settled: torch.Tensor


@named_type_errors
class EquilibriumModule(torch.nn.Module):
    """The free phase of a network on torch tensors, on any device that has float64.

    Products are of float64, which holds every sum of a network exactly, so order and device do not
    matter. Weights are buffers: `to(device)`, `state_dict` and `torch.save` work; nothing is
    trained, and buffers keep their types: `half()` and `float()` are refused.

    inputs: what the module takes. "states": integers, as `data.input_states` gives them.
    "features": floats in the units of the network's encoding. "pixels": floats 0..1 of white. None:
    integers are states, and floats are features of a network with an encoding, else refused.

    Raises InputError for a network that need not settle, or that knows more than pairs of neurons.
    Such are attention, budget rows, several rows of classes, and feedback of its own.
    """

    def __init__(
        self, network: Network, max_sweeps: int = MAX_SWEEPS, *, inputs: str | None = None
    ) -> None:
        super().__init__()
        if inputs not in (None, *INPUTS):
            raise InputError(none_of("inputs", inputs, INPUTS))
        if inputs == "features" and network.encoding is None:
            raise InputError("inputs must be states or pixels for a network without an encoding")
        require_pairs(network, "for a torch module", InputError)
        require(network.sweep, "for a torch module", Need.ALWAYS_SETTLES, error=InputError)
        self.network = network
        self.max_sweeps = max_sweeps
        self.inputs = inputs
        for number, projection in enumerate(network.projections):
            weight = torch.tensor(projection.matrix, dtype=torch.float64)
            self.register_buffer(f"weight{number}", weight)
        for number, population in enumerate(network.populations[1:]):
            bias = torch.tensor(network.biases[population.name], dtype=torch.int64)
            self.register_buffer(f"bias{number}", bias)

    def extra_repr(self) -> str:
        """Sizes, format and readout, for `repr`."""
        sizes = "-".join(str(p.size) for p in self.network.populations)
        formats = "/".join(dict.fromkeys(c.weight_format.value for c in self.network.couplings))
        readout = "relaxing" if self.network.readout is None else "clamped"
        taken = self.inputs or ("features or states" if self.network.encoding else "states")
        return f"{sizes} {formats}, readout {readout}, inputs={taken}, max_sweeps={self.max_sweeps}"

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> "EquilibriumModule":
        """Moves buffers to a device. Raises InputError for another type of numbers."""
        probe = fn(torch.zeros(1, dtype=torch.float64, device=self.get_buffer("bias0").device))
        if probe.dtype != torch.float64:
            raise InputError(
                "an EquilibriumModule must keep its float64, which holds every sum exactly, found "
                f"{probe.dtype}; move it by .to(device) alone"
            )
        found: EquilibriumModule = super()._apply(fn, recurse)
        return found

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """What ranks the classes, int64 (batch, output.size), of inputs (batch, input.size)."""
        return self.relax(inputs).scores

    def relax(self, inputs: torch.Tensor) -> Equilibrium:
        """The free phase of inputs (batch, input.size), of the kind that `inputs` says.

        Raises InputError for others, and for states out of the range of the input.
        """
        network = self.network
        device = self.get_buffer("bias0").device
        clamped = self._states(inputs).to(device)
        states = {
            p.name: torch.zeros((len(clamped), p.size), dtype=torch.int64, device=device)
            for p in network.relaxing
        } | {network.input.name: clamped}
        drives = {p.name: self._drive(p, states) for p in network.updating}
        sweeps = torch.zeros(len(clamped), dtype=torch.int32, device=device)
        active = torch.ones(len(clamped), dtype=torch.bool, device=device)
        for _ in range(self.max_sweeps):
            if not bool(active.any()):
                break
            sweeps += active
            before = {p.name: states[p.name].clone() for p in network.updating}
            for blocks in network.sweep.blocks:
                self._tick(blocks, states, drives)
            moved = [(states[name] != old).any(dim=1) for name, old in before.items()]
            active = active & torch.stack(moved).any(dim=0)
        return Equilibrium(
            states={name: found.to(torch.int16) for name, found in states.items()},
            scores=self._scores(states),
            sweeps=sweeps,
            settled=~active,
        )

    def _states(self, inputs: torch.Tensor) -> torch.Tensor:
        """Input states int64 (batch, input.size). Raises InputError."""
        floats = inputs.is_floating_point()
        kind = self.inputs or ("features" if floats and self.network.encoding else "states")
        if kind == "states":
            return _checked(inputs, self.network.input)
        size = self.network.input.size
        if not floats or inputs.ndim != 2 or inputs.shape[1] != size:
            raise InputError(
                f"inputs must be floats (batch, {size}), the module takes "
                f"{kind}, found {inputs.dtype} of shape {tuple(inputs.shape)}"
            )
        values = inputs.detach().cpu().to(torch.float64).numpy()
        if kind == "pixels":
            return torch.from_numpy(_of_fractions(self.network, values).astype(np.int64))
        assert self.network.encoding is not None
        pixels = self.network.encoding.pixels(values)
        return torch.from_numpy(input_states(self.network, pixels, PIXEL_MAX).astype(np.int64))

    def _tick(
        self,
        blocks: tuple[Block, ...],
        states: dict[str, torch.Tensor],
        drives: dict[str, torch.Tensor],
    ) -> None:
        """One tick, in place: all of its neurons see the states before it."""
        new = []
        for block in blocks:
            population = self.network.population(block.population)
            total = drives[block.population] + self._sums(population, states, from_input=False)
            fraction_bits = self.network.accumulator_fraction_bits(population.name)
            rounded = round_shift(total, fraction_bits)
            found = rounded.clamp(population.state_min, population.state_max)
            new.append(found[:, block.start : block.stop])
        for block, found in zip(blocks, new, strict=True):
            states[block.population][:, block.start : block.stop] = found

    def _drive(self, population: Population, states: dict[str, torch.Tensor]) -> torch.Tensor:
        """Bias and what the input adds, int64 (batch, size)."""
        number = self.network.populations[1:].index(population)
        bias = self.get_buffer(f"bias{number}")
        return bias + self._sums(population, states, from_input=True)

    def _sums(
        self, population: Population, states: dict[str, torch.Tensor], *, from_input: bool
    ) -> torch.Tensor:
        """What projections from the input, or from the others, add; int64 (batch, size)."""
        batch = len(states[self.network.input.name])
        device = self.get_buffer("bias0").device
        total = torch.zeros((batch, population.size), dtype=torch.int64, device=device)
        for number, projection in enumerate(self.network.projections):
            if projection.target is population and projection.from_input == from_input:
                total += self._product(number, projection, states)
        return total

    def _product(
        self, number: int, projection: Projection, states: dict[str, torch.Tensor]
    ) -> torch.Tensor:
        sent = states[projection.source.name].to(torch.float64)
        product = sent @ self.get_buffer(f"weight{number}")
        return product.to(torch.int64) << projection.shift

    def _scores(self, states: dict[str, torch.Tensor]) -> torch.Tensor:
        output = self.network.output
        if self.network.readout is None:
            return states[output.name]
        number = self.network.populations[1:].index(output)
        return (
            self.get_buffer(f"bias{number}")
            + self._sums(output, states, from_input=True)
            + self._sums(output, states, from_input=False)
        )


def _of_fractions(network: Network, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """States of fractions 0..1 of white (batch, input.size). Raises InputError."""
    if network.encoding is None or not network.encoding.centred:
        return encode(values, PIXEL_MAX, network.input)
    encode(values, PIXEL_MAX, network.input)  # refuses what lies outside
    return input_states(network, np.floor(values * PIXEL_MAX + 0.5).astype(np.int64), PIXEL_MAX)


def _checked(inputs: torch.Tensor, population: Population) -> torch.Tensor:
    """Inputs as int64. Raises InputError."""
    if inputs.is_floating_point() or inputs.ndim != 2 or inputs.shape[1] != population.size:
        raise InputError(
            f"inputs must be integers (batch, {population.size}), as toreq_hw.data.input_states "
            f"gives them, found {inputs.dtype} of shape {tuple(inputs.shape)}; for floats 0..1 "
            "make the module with inputs='pixels'"
        )
    found = inputs.to(torch.int64)
    least, most = population.state_min, population.state_max
    if len(found) and not (int(found.min()) >= least and int(found.max()) <= most):
        raise InputError(
            f"inputs must be in {least}..{most}, found {int(found.min())}..{int(found.max())}"
        )
    return found

"""What trained parameters compute: free phases, classes and accuracy."""

import numpy as np
import numpy.typing as npt
import torch

from toreq_hw.argument_types import named_type_errors
from toreq_hw.data import Dataset, Split, encode
from toreq_hw.network import check_states
from toreq_hw.quant.equilibrium import Layers, Tensors, drive, links
from toreq_hw.quant.options import Rule
from toreq_hw.quant.parameters import Parameters
from toreq_hw.quant.readout import integer_sums, output_sums
from toreq_hw.quant.relaxation import free_phase
from toreq_hw.quant.rules import forward

EVALUATION_BATCH = 1000


def accuracy(parameters: Parameters, rule: Rule, dataset: Dataset, split: Split) -> float:
    """Fraction of a split whose class is right, free phase or forward pass by the rule."""
    inputs, labels = tensors(dataset, split, parameters.layers, parameters.weights[0].device)
    right = 0
    for part, target in zip(
        inputs.split(EVALUATION_BATCH), labels.split(EVALUATION_BATCH), strict=True
    ):
        if rule is Rule.BACKPROP:
            with torch.no_grad():
                scores = forward(parameters.layers, part, *parameters.quantise())
        else:
            scores = equilibrium(parameters, part)[1]
        right += int((scores.argmax(dim=1) == target).sum())
    return right / len(labels)


def equilibrium(parameters: Parameters, inputs: torch.Tensor) -> tuple[Tensors, torch.Tensor]:
    """Free equilibrium of integer-valued inputs (batch, n_input), and what ranks the classes.

    States are (batch, size) per updating population; the ranks, (batch, n_output), are output
    states, or a clamped output's accumulators, counted in states.
    """
    layers = parameters.layers
    with torch.no_grad():
        weights, biases = parameters.quantise()
        inputs = parameters.exact(inputs, weights, biases)
        between = links(layers, weights, inputs.dtype)
        clamped = drive(layers, inputs, weights[0], biases)
        states = free_phase(layers, between, clamped)[0]
        if layers.readout is None:
            return states, states[-1]
        return states, output_sums(between, clamped, states)


@named_type_errors
def free_states(parameters: Parameters, inputs: npt.ArrayLike) -> dict[str, npt.NDArray[np.int16]]:
    """The trainer's own free phase: int16 (batch, size) per relaxing population.

    inputs: integers (batch, n_input) in the input's range. Raises InputError.
    """
    return free_phase_of(parameters, inputs)[0]


@named_type_errors
def free_phase_of(
    parameters: Parameters, inputs: npt.ArrayLike
) -> tuple[dict[str, npt.NDArray[np.int16]], npt.NDArray[np.int32]]:
    """`free_states`, and a clamped output's accumulators, int32 (batch, n_output), else (0,).

    inputs: integers (batch, n_input) in the input's range. Raises InputError.
    """
    layers = parameters.layers
    checked = torch.from_numpy(check_states(layers.populations[0], inputs))
    found: dict[str, list[npt.NDArray[np.int16]]] = {p.name: [] for p in layers.relaxing}
    sums = [np.zeros(0, dtype=np.int32)]
    for part in checked.to(parameters.weights[0].device).split(EVALUATION_BATCH):
        states, ranks = equilibrium(parameters, part)
        if layers.readout is not None:
            states = [*states, torch.zeros_like(ranks)]
            sums.append(integer_sums(layers, ranks).cpu().numpy().astype(np.int32))
        for name, own in zip(found, states, strict=True):
            found[name].append(own.cpu().numpy().astype(np.int16))
    return {n: np.concatenate(parts) for n, parts in found.items()}, np.concatenate(
        sums[1:] or sums
    )


def tensors(
    dataset: Dataset, split: Split, layers: Layers, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor]:
    """Input states (images, n_input) and labels (images,) of a split."""
    states = encode(split.images, dataset.pixel_max, layers.populations[0])
    return torch.from_numpy(states).to(device), torch.from_numpy(split.labels).to(device)

"""Networks and cores of points: what a training is given, and what the core's parameters are."""

import json
from dataclasses import asdict, replace
from functools import lru_cache

from toreq_hw.boards import registry
from toreq_hw.boards.fit.check import core_parameters, learning_parameters
from toreq_hw.network import ClampedReadout, Network, WeightFormat
from toreq_hw.records.search import Choices
from toreq_hw.rtl.learning.tables import check_learnable
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.studies.ledger import Run
from toreq_hw.studies.searching.samples import training_images
from toreq_hw.training.integer import Begun, IntegerSettings, begin


def network_choices(choices: Choices) -> Choices:
    """The same with what decides the network alone."""
    return replace(
        choices, lanes=2, learn_lanes=0, board="", clock_mhz=None, accumulator_register=False
    )


def as_text(choices: Choices) -> str:
    """Choices in one line of JSON, as keys of ledgers have them."""
    return json.dumps(asdict(choices), sort_keys=True)


def from_text(text: str) -> Choices:
    """The choices of `as_text`."""
    found = json.loads(text)
    return Choices(**found | {"hidden": tuple(found["hidden"])})


def network_run(choices: Choices, epochs: int) -> Run:
    """What tells a training, or what is measured of its network alone, from others."""
    return {"choices": as_text(network_choices(choices)), "epochs": epochs}


def core_run(choices: Choices, epochs: int) -> Run:
    """The same of the cycles of a network on its core, whatever its clock and its registers."""
    alike = replace(choices, clock_mhz=None, accumulator_register=False)
    return {"choices": as_text(alike), "epochs": epochs}


def whole_run(choices: Choices, epochs: int) -> Run:
    """The same of what is built."""
    return {"choices": as_text(choices), "epochs": epochs}


def settings_of(choices: Choices, pixels: int, epochs: int) -> IntegerSettings:
    """What `toreq-hw train` is asked for."""
    clamped = choices.readout == "clamped"
    weights = WeightFormat(choices.weights)
    layers = len(choices.hidden)
    shifts = (choices.feedback_shift,) * (layers - clamped) + (0,) * clamped
    return IntegerSettings(
        hidden=choices.hidden,
        weights=weights,
        state_bits=choices.state_bits,
        fraction_bits=fraction_bits(choices, pixels),
        readout=ClampedReadout() if clamped else None,
        feedback_shifts=shifts,
        latent_bits=choices.latent_bits,
        epochs=epochs,
    )


def fraction_bits(choices: Choices, pixels: int) -> tuple[int, ...]:
    """Of each coupling, input side first: the recipe's, moved by the offset."""
    clamped = choices.readout == "clamped"
    first, last = recipe(WeightFormat(choices.weights), pixels, clamped=clamped).fraction_bits
    known = (*[first] * len(choices.hidden), last)
    return tuple(bits + choices.fraction_offset for bits in known)


def begun(data: str, choices: Choices, epochs: int, seed: int) -> Begun:
    """A training before its first sample. Raises InputError and NetworkError."""
    dataset = training_images(data)
    return begin(dataset, settings_of(choices, dataset.pixels, epochs), seed)


@lru_cache(maxsize=512)
def blank(data: str, choices: Choices) -> Network:
    """The network of `network_choices` before any training. Raises InputError, NetworkError."""
    return begun(data, choices, 1, 1).trainer.blueprint


def parameters_of(choices: Choices, network: Network) -> CoreParameters:
    """The core, whether or not it fits. Raises NetworkError where there can be none."""
    board = registry.get(choices.board)
    if not choices.learn_lanes:
        return core_parameters(
            board, network, choices.lanes, accumulator_register=choices.accumulator_register
        )
    update_lanes = min(choices.lanes, board.update_lanes)
    check_learnable(network, update_lanes, choices.learn_lanes, None)
    bits = {coupling.name: choices.latent_bits for coupling in network.couplings}
    return learning_parameters(
        board,
        network,
        choices.lanes,
        choices.learn_lanes,
        bits,
        accumulator_register=choices.accumulator_register,
    )

"""The commands that make a point again: its network file, its core and its bitstream."""

import shlex

from toreq_hw.records.search import Choices
from toreq_hw.studies.searching.problem import Problem
from toreq_hw.studies.searching.samples import training_images
from toreq_hw.studies.searching.shapes import fraction_bits


def commands_of(problem: Problem, number: int, choices: Choices) -> tuple[str, ...]:
    """Three lines for a shell, in the order in which they are run."""
    name = f"build/search/point-{number}"
    return (
        _line("train", _training(problem, choices), f"{name}.safetensors"),
        _line("rtl", [f"{name}.safetensors", *_core(choices)], f"{name}-core"),
        _line("synth", [f"{name}.safetensors", *_board(problem, choices)], name),
    )


def _line(command: str, arguments: list[str], out: str) -> str:
    return shlex.join(["toreq-hw", command, *arguments, "--out", out])


def _training(problem: Problem, choices: Choices) -> list[str]:
    pixels = training_images(problem.data).pixels
    bits = fraction_bits(choices, pixels)
    found = {
        "--data": problem.data,
        "--hidden": ",".join(map(str, choices.hidden)),
        "--weights": choices.weights,
        "--state-bits": str(choices.state_bits),
        "--latent-bits": str(choices.latent_bits),
        "--fraction-bits": ",".join(map(str, bits)),
        "--epochs": str(problem.rungs.epochs),
        "--holdout": str(problem.rungs.holdout),
        "--seed": str(problem.train_seed),
    }
    clamped = choices.readout == "clamped"
    if clamped:
        found["--readout"] = "clamped"
    if len(choices.hidden) > clamped:
        found["--feedback-shift"] = str(choices.feedback_shift)
    return [part for pair in found.items() for part in pair]


def _learning(choices: Choices) -> list[str]:
    if not choices.learn_lanes:
        return []
    bits = str(choices.latent_bits)
    return ["--learning", "--learn-lanes", str(choices.learn_lanes), "--latent-bits", bits]


def _core(choices: Choices) -> list[str]:
    register = ["--accumulator-register"] if choices.accumulator_register else []
    return ["--lanes", str(choices.lanes), *register, *_learning(choices)]


def _board(problem: Problem, choices: Choices) -> list[str]:
    clock = [] if choices.clock_mhz is None else ["--clock-mhz", f"{choices.clock_mhz:g}"]
    seeds = ["--seeds", str(problem.rungs.place_seeds)]
    return ["--board", choices.board, *_core(choices), *clock, *seeds]

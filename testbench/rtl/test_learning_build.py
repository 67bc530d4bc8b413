"""What a core that learns is made of, what it refuses, and where a training is handed over."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from testbench.rtl.learning_cases import SHAPES, SMALL, shape_of, task_of
from testbench.rtl.model import Model
from toreq_hw import data, models
from toreq_hw.commands.rtl import command
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.network import Network, Population, WeightFormat, save
from toreq_hw.rtl.learning.difference import learned_difference
from toreq_hw.rtl.learning.state import LearnedState, state_of_network
from toreq_hw.rtl.learning.timing import LearnedSample, learn_cycles, most_learn_cycles
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import TimingModel, most_cycles
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.targets.learned import give_to_trainer, state_of_trainer

INT8 = WeightFormat.INT8


@pytest.mark.parametrize("lanes", [4, 16])
def test_a_core_that_learns_infers_in_as_many_cycles_as_one_that_does_not(lanes: int) -> None:
    """Both must take at most a tenth more; they take the same."""
    network, digits = models.load("digits-int8"), data.load("digits")
    inputs = data.encode(digits.test.images[:20], digits.pixel_max, network.input)
    cycles = []
    for choices in ({}, {"learn_lanes": 4, "latent_bits": 12}):
        core = CoreParameters.of(network, lanes, **choices)
        timing = TimingModel(core)
        images = Model(network, core, core.max_sweeps).phases(inputs, None)
        costs = [timing.cost(free.for_timing(), report=False) for free, *_ in images]
        cycles.append([cost.cycles for cost in costs])
    assert cycles[0] == cycles[1]


def run(network: Network, folder: Path, *options: str) -> tuple[int, str, list[str]]:
    """Status, error and files of `toreq-hw rtl`."""
    save(network, folder / "network.safetensors")
    arguments = [str(folder / "network.safetensors"), "--lanes", "4", "--out", str(folder / "out")]
    result = CliRunner().invoke(command, [*arguments, *options])
    files = sorted(path.name for path in (folder / "out").glob("*"))
    return result.exit_code, str(result.exception or "") + result.output, files


def test_the_command_writes_a_core_that_learns(tmp_path: Path) -> None:
    options = ("--learning", "--learn-lanes", "2", "--latent-bits", "12")
    status, said, files = run(SMALL.network, tmp_path, *options)
    assert (status, "bias-latents.hex" in files, "core.v" in files) == (0, True, True), said
    page = (tmp_path / "out" / "datasheet.md").read_text()
    parameters = CoreParameters.of(SMALL.network, 4, learn_lanes=2, latent_bits=12)
    assert f"- most: {most_learn_cycles(parameters)}" in page
    assert "| reads__payload | in |" in page
    assert "| 1 | p1-p2 | 12 | k + 4 |" in page


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--learn-lanes", "2"), "--learn-lanes must go with --learning"),
        (("--latent-bits", "12"), "--latent-bits must go with --learning"),
        (("--learning", "--latent-bits", "7"), "must be a whole number in 8..16, found '7'"),
        (("--learning", "--latent-bits", "17"), "must be a whole number in 8..16, found '17'"),
        (
            ("--learning", "--learn-lanes", "3"),
            "must be one of 1, 2, 4, 8, 16, 32, 64, 128, 256, found '3'",
        ),
        (("--learning", "--learn-lanes", "8"), "--learn-lanes must be a power of two in 1..4"),
        (("--learning", "--threshold", "1"), "must send every change, found threshold 1"),
    ],
)
def test_bad_options_leave_no_file(options: tuple[str, ...], message: str, tmp_path: Path) -> None:
    status, said, files = run(SMALL.network, tmp_path, *options)
    assert status != 0
    assert message in said
    assert files == []


def test_sums_beyond_32_bits_for_any_weights_are_refused() -> None:
    """The weights at hand are zero: it is those that could be learned."""
    wide = shape_of("wide", 4, ((400, 8, False), (4, 8, False)), ((0, 1, INT8, 0),)).network
    far = shape_of(
        "far",
        4,
        ((9, 8, False), (9, 8, False), (4, 8, False)),
        ((0, 2, INT8, 0), (0, 1, INT8, 7), (1, 2, INT8, 15)),
    ).network
    CoreParameters.of(wide, 4, learn_lanes=1)
    CoreParameters.of(far, 4)
    with pytest.raises(NetworkError, match=r"'p2': accumulators must stay within .* worst case"):
        CoreParameters.of(far, 4, learn_lanes=1)


def test_shared_biases_are_refused() -> None:
    network = SMALL.network
    hidden = network.populations[1]
    shared = replace(hidden, shape=(hidden.size // 2, 2), bias_per_channel=True)
    populations: tuple[Population, ...] = (network.populations[0], shared, network.populations[2])
    own = Network(populations, network.couplings, {})
    with pytest.raises(NetworkError, match="its own bias"):
        CoreParameters.of(own, 4, learn_lanes=1)


def test_a_core_wakes_up_as_training_that_goes_on_from_its_network() -> None:
    rng = np.random.default_rng(3)
    for shape in (SMALL, *SHAPES):
        couplings = [
            c.with_parameters(
                c.mirrored(
                    rng.integers(-c.weight_format.limit, c.weight_format.limit + 1, c.shape)
                ).astype(np.int8)
            )
            for c in shape.network.couplings
        ]
        biases = {
            p.name: rng.integers(-99, 99, p.size).astype(np.int32) for p in shape.network.relaxing
        }
        network = replace(shape.network, couplings=tuple(couplings), biases=biases)
        bits = task_of(shape, 0, 2).rule.own_latent_bits
        rule = Rule(shift=0, own_latent_bits=bits)
        trainer = Trainer.from_network(network, rule, seed=1)
        expected = replace(state_of_trainer(trainer), generator=1)
        assert learned_difference(expected, state_of_network(network, shape.parameters)) is None


def test_a_trainer_takes_a_state_whole_or_not_at_all() -> None:
    task = task_of(SMALL, 4, 4)
    trainer = Trainer(SMALL.network, task.rule, seed=1)
    give_to_trainer(trainer, task.state)
    assert learned_difference(task.state, state_of_trainer(trainer)) is None
    for wrong in _wrong_states(task.state):
        with pytest.raises(InputError):
            give_to_trainer(trainer, wrong)
        assert learned_difference(task.state, state_of_trainer(trainer)) is None


def _wrong_states(state: LearnedState) -> list[LearnedState]:
    """A latent that has a dropped bit, a bias latent out of range, a generator that would stay."""
    latents = {name: values.copy() for name, values in state.latents.items()}
    latents["p1-p2"][0, 0] = 1
    biases = {name: values.copy() for name, values in state.bias_latents.items()}
    biases["p2"][0] = 1 << 27
    return [
        replace(state, latents=latents),
        replace(state, bias_latents=biases),
        replace(state, generator=0),
    ]


def test_the_first_difference_is_named() -> None:
    state = task_of(SMALL, 4, 4).state
    latents = {name: values.copy() for name, values in state.latents.items()}
    latents["p0-p1"][2, 3] ^= 16
    expected, got = state.latents["p0-p1"][2, 3], latents["p0-p1"][2, 3]
    text = f"coupling 'p0-p1', row 2, column 3: latent expected {expected}, got {got}"
    assert str(learned_difference(state, replace(state, latents=latents))) == text
    biases = {name: values.copy() for name, values in state.bias_latents.items()}
    biases["p2"][1] += 1
    found = str(learned_difference(state, replace(state, bias_latents=biases)))
    assert found.startswith("population 'p2', neuron 1: bias latent expected")
    found = str(learned_difference(state, replace(state, generator=5)))
    assert found == f"generator: expected {state.generator}, got 5"


def test_no_learn_exceeds_its_most() -> None:
    rng = np.random.default_rng(5)
    for shape in SHAPES:
        parameters = shape.parameters
        most, neurons = most_learn_cycles(parameters), sum(s.size for s in parameters.relaxing)
        assert most < most_cycles(parameters)
        for _ in range(50):
            plus, minus = rng.integers(0, 2, (2, neurons))
            inputs = rng.integers(0, 2, parameters.input.size)
            sample = LearnedSample(inputs, plus, minus, stirred=True)
            assert learn_cycles(parameters, sample) <= most

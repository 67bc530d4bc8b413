"""Learning under a fault map: the compiled trainer against plain Python, and maps of latents."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.networks import Case, random_case
from toreq_hw import commands, data, network, sim
from toreq_hw.contract.faults import FREE
from toreq_hw.contract.layout import Layout
from toreq_hw.errors import InputError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.reference import Latents, update
from toreq_hw.sim.learning.synapses import weights_of
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.sim.perturbation.faulty_training import FaultyTrainer

SWEEPS = 25


def read(v: int, at_zero: int, at_one: int, dropped: int) -> int:
    """A latent as its stuck bits leave it: docs/robustness.md, in plain integers."""
    word = (v & 0xFFFF & ~at_zero) | at_one
    number = word - (1 << 16) * (word >> 15)
    lowest = -((32767 >> dropped) << dropped)
    return max(number, lowest)


class Written:
    """One training under a map, in plain Python, on the reference engine."""

    def __init__(self, trainer: Trainer, given: FaultMap) -> None:
        self.trainer, self.map, network = trainer, given, trainer.blueprint
        self.disturbance = given.disturbance(trainer.network())
        layout = Layout(network)
        self.latents = Latents(
            {c.name: trainer.latents(k).astype(np.int64) for k, c in enumerate(network.couplings)},
            {
                q.name: trainer.synapses.bias_latent[layout.of(q)].astype(np.int64)
                for q in network.relaxing
            },
            int(trainer.random_state),
            {c.name: int(trainer.synapses.dropped[k]) for k, c in enumerate(network.couplings)},
        )
        self.break_latents()

    def break_latents(self) -> None:
        loops = {c.name for c in self.trainer.blueprint.couplings if c.is_self_coupling}
        for name, row, column, at_zero, at_one in self.map.latents:
            latent, dropped = self.latents.weight[name], self.latents.dropped[name]
            latent[row, column] = read(int(latent[row, column]), at_zero, at_one, dropped)
            if name in loops:
                latent[column, row] = latent[row, column]

    def network(self) -> Network:
        """Made anew of the latents."""
        blueprint = self.trainer.blueprint
        couplings = tuple(
            c.with_parameters(
                weights_of(
                    self.latents.weight[c.name].astype(np.int16),
                    int(self.trainer.synapses.theta[k]),
                )
            )
            for k, c in enumerate(blueprint.couplings)
        )
        biases = {n: (v >> 4).astype(np.int32) for n, v in self.latents.bias.items()}
        return type(blueprint)(
            blueprint.populations, couplings, biases, blueprint.schedule, blueprint.beta_shift
        )

    def learn(self, case: Case, sample: int, shifts: dict[str, int], bias_shift: int) -> None:
        network = self.network()
        x, y = case.inputs[sample : sample + 1], case.labels[sample : sample + 1]
        engine = p.disturbed_engine(network, self.disturbance, "reference")
        free = sim.relax(network, x, engine=engine, max_sweeps=SWEEPS)
        drive = sim.nudge(network, free.states["output"], y)
        ends = [
            sim.relax(
                network, x, engine=engine, states=free.states, drive=s * drive, max_sweeps=SWEEPS
            )
            for s in (1, -1)
        ]
        positive, negative = ({n: s[0] for n, s in e.states.items()} for e in ends)
        biases = dict.fromkeys(positive, bias_shift)
        update(network, self.latents, x[0], positive, negative, shifts, biases)
        self.break_latents()


def lasting_map(
    network: Network, seed: int, bits: dict[str, int], inverted: float = 0.03
) -> FaultMap:
    """Stuck latents, stuck and inverted states, at places drawn. inverted: share of state bits."""
    rng = np.random.default_rng(seed)
    latents = []
    for coupling in network.dense_couplings:
        cells = coupling.free_parameters()
        chosen = rng.choice(cells, min(len(cells), int(rng.integers(0, 9))), replace=False)
        for cell in sorted(chosen.tolist()):
            at_zero, at_one = 0, 0
            while not at_zero | at_one:
                hit = (
                    int(rng.integers(1 << 16))
                    >> (16 - bits[coupling.name])
                    << (16 - bits[coupling.name])
                )
                value = int(rng.integers(1 << 16))
                at_zero, at_one = hit & ~value, hit & value
            latents.append((coupling.name, *divmod(cell, coupling.shape[1]), at_zero, at_one))
    layers = [p.DeadNeurons(0.2, seed, value="zero"), p.StuckStateBits(inverted, seed)]
    states = FaultMap.make(network, layers, 0)
    return FaultMap(
        network.sha256, 0, latents=tuple(latents), stuck=states.stuck, inverted=states.inverted
    )


@pytest.mark.parametrize("seed", range(12))
def test_the_compiled_trainer_is_the_written_rule(seed: int) -> None:
    schedule = Schedule.SEQUENTIAL if seed % 3 == 2 else Schedule.PARITY
    case = random_case(seed, schedule=schedule, batch=12)
    bits = {c.name: (16, 12, 8, 9)[(seed + k) % 4] for k, c in enumerate(case.network.couplings)}
    shifts = {c.name: 2 + (seed + k) % 3 for k, c in enumerate(case.network.couplings)}
    rule = Rule(bias_shift=3, theta=900, initial_reach=6000, shifts=shifts, own_latent_bits=bits)
    trainer = Trainer(case.network, rule, seed=seed)
    given = lasting_map(trainer.network(), seed, bits)
    written, found = Written(trainer, given), FaultyTrainer(trainer, given, max_sweeps=SWEEPS)
    for sample in range(len(case.inputs)):
        written.learn(case, sample, shifts, 3)
        found.learn(case.inputs, case.labels, np.array([sample]))
        for k, coupling in enumerate(case.network.couplings):
            name = coupling.name
            assert np.array_equal(found.latents(k), written.latents.weight[name]), (sample, name)
        assert found.random_state == written.latents.random_state
        assert found.network().sha256 == written.network().lowered.sha256
    bias = np.concatenate([written.latents.bias[q.name] for q in case.network.relaxing])
    assert np.array_equal(found.synapses.bias_latent, bias)


@pytest.mark.parametrize(
    ("v", "at_zero", "at_one", "dropped", "expected"),
    [
        (0, 0, 0x0100, 0, 256),
        (-1, 0x0001, 0, 0, -2),
        (5, 0, 0x8000, 0, -32763),
        (0, 0, 0x8000, 0, -32767),  # -32768 is no latent
        (0, 0, 0x8000, 8, -32512),  # nor is -128, of 8 bits
        (-300, 0x8000, 0, 0, 32468),
        (4096, 0x1000, 0x0010, 4, 16),
    ],
)
def test_stuck_bits_by_hand(v: int, at_zero: int, at_one: int, dropped: int, expected: int) -> None:
    assert read(v, at_zero, at_one, dropped) == expected
    network = layered((2, 2), WeightFormat.INT8, (7,))
    rule = Rule(shift=4, latent_bits=16 - dropped)
    trainer = Trainer(network, rule, seed=1)
    trainer.latents(0)[...] = [[v, 0], [0, 0]]
    trainer.program()
    name = network.couplings[0].name
    given = FaultMap(trainer.network().sha256, 0, latents=((name, 0, 0, at_zero, at_one),))
    found = FaultyTrainer(trainer, given)
    assert found.latents(0).tolist() == [[expected, 0], [0, 0]]
    assert trainer.latents(0).tolist() == [[v, 0], [0, 0]]


def test_without_faults_it_learns_the_same_bits() -> None:
    case = random_case(3, schedule=Schedule.PARITY, batch=30)
    plain = Trainer(case.network, Rule(shift=3, bias_shift=3), seed=2)
    same = FaultyTrainer(plain, FaultMap(plain.network().sha256, 0))
    order = np.arange(30)
    assert same.learn(case.inputs, case.labels, order) == plain.learn(
        case.inputs, case.labels, order
    )
    assert np.array_equal(same.synapses.latent, plain.synapses.latent)
    assert same.random_state == plain.random_state


NETWORK = layered((5, 4, 3), WeightFormat.INT8, (7, 7))
FIRST = NETWORK.couplings[0].name


@pytest.mark.parametrize(
    ("entries", "bits", "said"),
    [
        (
            {"latents": ((FIRST, 0, 0, 4, 0),)},
            12,
            r"must be stuck in bits 4\.\.15, which they have",
        ),
        (
            {"weights": ((FIRST, 0, 0, 4),)},
            16,
            "must have only latents, stuck, inverted, found weig",
        ),
        ({"frozen": ((0, 3),)}, 16, "found frozen"),
    ],
)
def test_what_a_training_cannot_go_on_under_is_refused(
    entries: dict[str, Any], bits: int, said: str
) -> None:
    trainer = Trainer(NETWORK, Rule(shift=4, latent_bits=bits), seed=1)
    given = FaultMap(trainer.network().sha256, 0, **entries)
    with pytest.raises(InputError, match=said):
        FaultyTrainer(trainer, given)


def test_a_stuck_neuron_keeps_its_state_in_every_phase() -> None:
    """At 17, which no dead neuron of a core has: it drives its neighbours from the first tick."""
    case = random_case(5, schedule=Schedule.PARITY, batch=6)
    trainer = Trainer(case.network, Rule(shift=3, bias_shift=3), seed=4)
    hidden = next(q for q in case.network.relaxing if q.state_max >= 3)
    given = FaultMap(trainer.network().sha256, 0, stuck=((hidden.name, 0, 3),))
    assert (given.disturbance(trainer.network()).stuck != FREE).sum() == 1
    written, found = Written(trainer, given), FaultyTrainer(trainer, given, max_sweeps=SWEEPS)
    shifts = dict.fromkeys((c.name for c in case.network.couplings), 3)
    for sample in range(6):
        written.learn(case, sample, shifts, 3)
    found.learn(case.inputs, case.labels, np.arange(6))
    for k, coupling in enumerate(case.network.couplings):
        assert np.array_equal(found.latents(k), written.latents.weight[coupling.name])


@pytest.mark.parametrize("kind", ["stuck_latent_bits", "stuck_state_bits"])
def test_the_command_learns_on_under_stuck_bits(kind: str, tmp_path: Path) -> None:
    digits, settings = data.load("digits"), recipe(WeightFormat.INT8, 64)
    shape = layered((64, 16, 10), WeightFormat.INT8, settings.fraction_bits, beta_shift=0)
    trainer = Trainer(shape, settings.rule(shape, 3), 1)
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    for _ in range(3):
        learn_epoch(trainer, TrainingSamples(inputs, digits.train.labels, digits.shape))
    network.save(trainer.network(), tmp_path / "net.safetensors")
    arguments = ["relearn", str(tmp_path / "net.safetensors"), "--layer", kind, "--level", "0.05"]
    arguments += ["--epochs", "2", "--samples", "60", "--work", str(tmp_path / "work")]
    assert outcome([*arguments, "--json", str(tmp_path / "r.json")]) == 0
    record = json.loads((tmp_path / "r.json").read_text())
    assert record["damage"] == kind
    damaged, *after = record["accuracy"]
    assert len(after) == 2
    assert damaged < record["undamaged"] > 0.8
    assert kind != "stuck_latent_bits" or after[-1] > damaged + 0.2
    assert outcome([*arguments, "--asymmetry", "0.1"]) == 2


def outcome(arguments: list[str]) -> object:
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    return ended.value.code

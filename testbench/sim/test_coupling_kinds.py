"""Kinds of coupling that the project has never seen: every part of the simulator takes them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.toy_couplings import KINDS, Banded, Circulant, ToyCase, dense_weights, toy_case
from toreq_hw import network, sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.network import Coupling, DenseCoupling, Edges, Schedule, WeightFormat
from toreq_hw.network import couplings as coupling_kinds
from toreq_hw.network.bounds import accumulator_range
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.learning.synapses import weights_of

CASES = [(f, s) for f in WeightFormat for s in Schedule]


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Network files may hold the toy kinds."""
    for name, kind in KINDS.items():
        monkeypatch.setitem(coupling_kinds.KINDS, name, kind)


@pytest.mark.parametrize(("weight_format", "schedule"), CASES)
@pytest.mark.parametrize("threshold", [0, 2])
def test_every_engine_computes_the_states_of_the_dense_network(
    weight_format: WeightFormat, schedule: Schedule, threshold: int
) -> None:
    events = 0
    for seed in range(4):
        case = toy_case(seed, weight_format, schedule)
        options = {"threshold": threshold, "max_sweeps": 60, "trace": True}
        expected = sim.relax(case.dense, case.inputs, engine="reference", **options)
        events += int(expected.events.sum())
        own = [sim.relax(case.network, case.inputs, engine=e, **options) for e in sim.EngineName]
        assert [sim.first_difference(own[0], found) for found in own] == [None] * len(own)
        assert sim.first_difference(expected, costing_as(expected, own[0])) is None
        assert np.all(own[0].synops < expected.synops)
        for engine in sim.EngineName:
            found = sim.relax(case.network.lowered, case.inputs, engine=engine, **options)
            assert sim.first_difference(expected, found) is None
    assert events > 30


def costing_as(expected: sim.PhaseResult, found: sim.PhaseResult) -> sim.PhaseResult:
    """`found` with the costs of the dense twin, which walks whole matrices."""
    return replace(found, synops=expected.synops, dense_synops=expected.dense_synops)


@pytest.mark.parametrize("weight_format", WeightFormat)
def test_nudged_phases_energy_and_ranges_are_those_of_the_dense_network(
    weight_format: WeightFormat,
) -> None:
    case = toy_case(3, weight_format)
    free = sim.free_phase(case.network, case.inputs)
    for sign in (1, -1):
        expected, *found = (
            sim.nudged_phase(net, case.inputs, free, case.labels, sign, engine=engine, trace=True)
            for net, engine in [(case.dense, "event"), *((case.network, e) for e in sim.EngineName)]
        )
        for one in found:
            assert sim.first_difference(expected, costing_as(expected, one)) is None
    energies = [doubled_energy(n, case.inputs, free.states) for n in (case.network, case.dense)]
    assert energies[0].tolist() == energies[1].tolist()
    for population in case.network.relaxing:
        own, dense = (accumulator_range(n, population.name) for n in (case.network, case.dense))
        assert np.array_equal(own, dense)


def test_the_range_for_any_weights_counts_edges() -> None:
    for schedule in Schedule:
        net = toy_case(0, schedule=schedule).network
        for projection in net.projections:
            low, high = projection.sum_range(any_weights=True)
            full = projection.coupling.with_parameters(
                np.full_like(projection.coupling.parameters, 1)
            )
            degree = np.count_nonzero(dense_weights(full), axis=1 if projection.backward else 0)
            worst_case = degree * 127 * projection.source.state_max << projection.shift
            assert (high.tolist(), low.tolist()) == (worst_case.tolist(), (-worst_case).tolist())


def test_a_lowered_network_is_itself_where_all_is_dense() -> None:
    case = toy_case(1)
    assert case.dense.lowered is case.dense
    assert case.network.lowered.sha256 == case.dense.sha256 != case.network.sha256


@pytest.mark.usefixtures("known")
def test_a_file_holds_a_kind(tmp_path: Path) -> None:
    case = toy_case(2, schedule=Schedule.SEQUENTIAL)
    network.save(case.network, tmp_path / "toy.safetensors")
    found = network.load(tmp_path / "toy.safetensors")
    assert [type(c) for c in found.couplings] == [Banded, Circulant, Banded]
    assert found.sha256 == case.network.sha256
    header = network.file.header(case.network)
    assert header["version"] == 2
    assert network.file.header(case.dense)["version"] == 1
    tensors = case.network.tensors()
    with pytest.raises(NetworkFileError, match="kind banded must be in a file of version 2, found"):
        network.file.from_header(header | {"version": 1}, tensors)
    with pytest.raises(NetworkFileError, match=r"version must be 1 or 2 .*, found 3"):
        network.file.from_header(header | {"version": 3}, tensors)


def test_a_file_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    network.save(toy_case(2).network, tmp_path / "toy.safetensors")
    with pytest.raises(NetworkFileError, match=r"kind must be 'dense' or .*, found 'banded'"):
        network.load(tmp_path / "toy.safetensors")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"columns": 12}, "must join 9 x 11 neurons, not 9 x 12"),
        ({"weight": np.full((6, 9), -128, np.int8)}, r"must be in -127..127, found -128 at \[0, 0"),
        ({"fraction_bits": 16}, "fraction_bits must be an integer in 0..15, not 16"),
    ],
)
def test_a_kind_that_does_not_fit_is_refused(changes: dict[str, object], error: str) -> None:
    net = toy_case(0).network
    first, second = net.couplings
    with pytest.raises(NetworkError, match=error):
        replace(net, couplings=(replace(first, **changes), second))


@pytest.mark.parametrize(
    ("edges", "error"),
    [
        (([9], [0], [0]), r"edges must leave from neurons in 0..8, found 9"),
        (([0], [-1], [0]), r"edges must reach neurons in 0..10, found -1"),
        (([0], [0], [54]), r"edges must name parameters in 0..53, found 54"),
        (([3, 3], [4, 4], [0, 1]), r"two neurons must share at most one edge, found 2 at \[3, 4\]"),
    ],
)
def test_edges_that_are_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, edges: tuple[list[int], ...], error: str
) -> None:
    net = toy_case(0).network
    wrong = Edges(*(np.array(part) for part in edges))
    monkeypatch.setattr(Banded, "edges", lambda _: wrong)
    with pytest.raises(NetworkError, match=error):
        replace(net, beta_shift=2)


def test_an_edge_of_a_self_coupling_runs_upwards() -> None:
    net = toy_case(0, schedule=Schedule.SEQUENTIAL).network
    *others, band = net.couplings
    assert isinstance(band, Banded)
    with pytest.raises(NetworkError, match=r"lower neuron to the higher, found \[0, 0\]"):
        replace(net, couplings=(*others, replace(band, first=0)))


class Listed(DenseCoupling):
    """A matrix that is learned by its list of edges."""


@pytest.mark.parametrize("weight_format", WeightFormat)
def test_an_edge_each_learns_as_a_dense_matrix(
    monkeypatch: pytest.MonkeyPatch, weight_format: WeightFormat
) -> None:
    case = toy_case(5, weight_format, batch=12)
    trainers = [trainer_of(case.dense)]
    listed = tuple(
        Listed(c.pre, c.post, c.parameters, c.fraction_bits, c.weight_format)
        for c in case.dense.couplings
    )
    native = type("Native", (), {"__instancecheck__": lambda _, c: type(c) is DenseCoupling})
    for module in ("learning.shared", "learning.trainer", "plan"):
        monkeypatch.setattr(f"toreq_hw.sim.{module}.DenseCoupling", native())
    trainers.append(trainer_of(replace(case.dense, couplings=listed)))
    assert trainers[1].synapses.shared.rows.tolist() == [9, 11]
    for trainer in trainers:
        trainer.learn(case.inputs, case.labels, np.tile(np.arange(12), 8))
    first, second = trainers
    assert np.array_equal(first.synapses.latent, second.synapses.latent)
    assert first.random_state == second.random_state
    assert first.network().sha256 == second.network().sha256


def trainer_of(net: network.Network) -> Trainer:
    return Trainer(net, Rule(shift=2, bias_shift=4, theta=900, initial_reach=4000), seed=6)


@pytest.mark.parametrize(("weight_format", "schedule"), CASES)
def test_learning_is_the_written_rule_with_gradients_summed(
    weight_format: WeightFormat, schedule: Schedule
) -> None:
    case = toy_case(7, weight_format, schedule, batch=6)
    trainer = trainer_of(case.network)
    written = Written(case, trainer)
    for step in range(24):
        sample = step % 6
        written.learn(sample)
        trainer.learn(case.inputs, case.labels, np.array([sample]))
        assert int(trainer.random_state) == written.word
        for k, latents in enumerate(written.latents):
            assert np.array_equal(trainer.latents(k), latents)
        found, expected = trainer.network(), written.network()
        assert found.sha256 == expected.sha256
    assert written.steps > 20


class Written:
    """What docs/numerics.md and `shared_kernel` say of a sample, with no runs: cell by cell."""

    def __init__(self, case: ToyCase, trainer: Trainer) -> None:
        self.case = case
        self.latents = [
            trainer.latents(k).astype(np.int64) for k in range(len(case.network.couplings))
        ]
        self.bias = {p.name: np.zeros(p.size, np.int64) for p in case.network.relaxing}
        self.word, self.theta, self.steps = int(trainer.random_state), 900, 0

    def network(self) -> network.Network:
        net = self.case.network
        ternary = [c.weight_format is WeightFormat.TERNARY for c in net.couplings]
        couplings = tuple(
            c.with_parameters(weights_of(v.astype(np.int16), self.theta if t else 0))
            for c, v, t in zip(net.couplings, self.latents, ternary, strict=True)
        )
        biases = {name: (v >> 4).astype(np.int32) for name, v in self.bias.items()}
        return replace(net, couplings=couplings, biases=biases)

    def draw(self) -> int:
        self.word ^= self.word << 13 & 0xFFFFFFFF
        self.word ^= self.word >> 17
        self.word ^= self.word << 5 & 0xFFFFFFFF
        return self.word >> 16

    def learn(self, sample: int) -> None:
        net, x = self.network(), self.case.inputs[sample : sample + 1]
        free = sim.free_phase(net, x, engine="reference")
        y = self.case.labels[sample : sample + 1]
        ends = [sim.nudged_phase(net, x, free, y, s, engine="reference") for s in (1, -1)]
        plus, minus = ({n: s[0].astype(int) for n, s in e.states.items()} for e in ends)
        plus["input"] = minus["input"] = x[0].astype(int)
        for coupling, latents in zip(net.couplings, self.latents, strict=True):
            names = (coupling.pre, coupling.post)
            if any((plus[n] != minus[n]).any() for n in names):
                self.move(coupling, latents, plus, minus)
        for name, latents in self.bias.items():
            if (plus[name] != minus[name]).any():
                word = self.draw()
                for i, change in enumerate(
                    net.population(name).state_max * (plus[name] - minus[name])
                ):
                    latents[i] += (int(change) + offset(word, i, 4)) >> 4

    def move(self, coupling: Coupling, latents, plus, minus) -> None:
        taps = latents if latents.ndim == 2 else latents[None]
        for k, row in enumerate(taps):
            places = [self.places(coupling, k, column) for column in range(len(row))]
            pre = {i for place in places for i, _ in place}
            if not any(plus[coupling.pre][i] or minus[coupling.pre][i] for i in pre):
                continue
            word = self.draw()
            for column, place in enumerate(places):
                gradient = sum(
                    plus[coupling.pre][i] * plus[coupling.post][j]
                    - minus[coupling.pre][i] * minus[coupling.post][j]
                    for i, j in place
                )
                v = row[column] + ((int(gradient) + offset(word, column, 2)) >> 2)
                self.steps += v != row[column]
                row[column] = min(max(v, -32767), 32767)

    def places(self, coupling: Coupling, k: int, column: int) -> list[tuple[int, int]]:
        """The pairs of neurons of one parameter."""
        if isinstance(coupling, Circulant):
            return [(i, (i + column) % 5) for i in range(11)]
        assert isinstance(coupling, Banded)
        j = column + coupling.first + k
        return [(column, j)] if 0 <= j < 11 else []


def offset(word: int, column: int, shift: int) -> int:
    return (word + 0x9E37 * column) % (1 << 16) >> (16 - shift)


@pytest.mark.usefixtures("known")
def test_a_checkpoint_goes_on_with_the_same_bits(tmp_path: Path) -> None:
    case = toy_case(8, schedule=Schedule.SEQUENTIAL, batch=5)
    trainer = trainer_of(case.network)
    trainer.learn(case.inputs, case.labels, np.arange(5))
    checkpoint.save(trainer, tmp_path / "toy.ckpt", {})
    again, _ = checkpoint.load(tmp_path / "toy.ckpt")
    for one in (trainer, again):
        one.learn(case.inputs, case.labels, np.arange(5))
    assert again.network().sha256 == trainer.network().sha256
    assert again.random_state == trainer.random_state
    followed = Trainer.from_network(trainer.network(), trainer.rule, seed=1)
    assert followed.network().sha256 != case.network.sha256

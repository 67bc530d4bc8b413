"""One fault map, made once: the same states of every tick in the simulator, in RTL and in Lava."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from testbench.networks import Case, random_case, with_random_weights
from testbench.replay.replay_plan import replay_in_rtl
from testbench.robustness.random_maps import random_rows
from testbench.rtl.simulate import simulators
from testbench.small_kinds import MAKERS, Maker
from toreq_hw import commands, data, network, sim
from toreq_hw.errors import InputError, NetworkError
from toreq_hw.lava_backend import lava_run
from toreq_hw.network import Schedule, WeightFormat, layered
from toreq_hw.records.replay import Comparison
from toreq_hw.rtl.datapath import DRAIN_CYCLES
from toreq_hw.rtl.replay import Replay, replay_parameters
from toreq_hw.rtl.replay_core import ReplayCore, replay_on_core
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.perturbation import fault_map
from toreq_hw.sim.perturbation.fault_map import FaultMap
from toreq_hw.studies.replaying import Expected, ReplayCase, on_core, replay

SWEEPS = 40
ALONE: dict[str, list[p.Layer]] = {
    "weights": [p.WeightBitFlip(0.05, 1), p.StuckWeights(0.1, 1), p.MissingSynapses(0.1, 1)],
    "lines": [p.DeadRows(0.2, 1), p.DeadColumns(0.2, 1)],
    "dead_zero": [p.DeadNeurons(0.4, 1)],
    "dead_maximum": [p.DeadNeurons(0.4, 1, value="maximum")],
    "stuck_state_bits": [p.StuckStateBits(0.1, 1)],
    "stuck_message_bits": [p.StuckMessageBits(0.05, 1)],
    "frozen_colour": [p.FrozenColour(4, 1, colour=1)],
    "standing_states": [p.StateBitFlip(0.2, 1)],
    "state_upset": [p.StateUpset(0.05, 1)],
    "late_upset": [p.StateUpset(0.05, 1, first_tick=21, last_tick=22)],  # long after settling
    "silent_upset": [p.SilentUpset(0.05, 1)],
    "accumulator_upset": [p.AccumulatorUpset(0.01, 1)],
    "dropped_events": [p.DroppedEvents(0.3, 1)],
    "duplicated_events": [p.DuplicatedEvents(0.3, 1)],
    "message_bit_flip": [p.MessageBitFlip(0.1, 1)],
}
EVERYTHING = [layer for layers in ALONE.values() for layer in layers]


def fitting(first_seed: int) -> Case:
    """The first random parity network from a seed on that Lava can carry and that has layers."""
    for seed in range(first_seed, first_seed + 100):
        case = random_case(seed, schedule=Schedule.PARITY, max_size=8, batch=3)
        try:
            lava_run.check(case.network)
        except NetworkError:
            continue
        if len(case.network.relaxing) >= 2 and case.network.relaxing[0].size >= 4:
            return case
    raise AssertionError("no seed fits")


def replay_case(case: Case, layers: list[p.Layer], tmp_path: Path) -> ReplayCase:
    """A map, made once, saved and read back; standing states are flipped where they stand.

    What it does must show: a damage that changes nothing would replay anywhere.
    """
    clean = sim.relax(case.network, case.inputs, trace=True)
    states = clean.states if any(isinstance(one, p.StartLayer) for one in layers) else None
    made = FaultMap.make(case.network, layers, len(case.inputs), states)
    made.save(tmp_path / "map.json")
    read = fault_map.load(tmp_path / "map.json", case.network)
    found = ReplayCase(case.network, read, case.inputs, states, SWEEPS)
    assert sim.first_difference(clean, found.relax("event")) is not None
    return found


def under_cocotb(
    one: ReplayCase, name: str, simulator: str, choices: dict[str, Any] | None = None
) -> Comparison:
    """The comparison of the core in a simulator."""
    expected = Expected(one)
    found = replay_in_rtl(
        one.network,
        one.fault_map,
        one.inputs,
        name=f"replay-{name}",
        choices=choices,
        states=one.states,
        max_sweeps=SWEEPS,
        simulator=simulator,
    )
    return expected.compare(simulator, found)


@pytest.mark.parametrize("seed", [3, 40])
def test_everything_at_once_in_verilator_lava_and_every_engine(seed: int, tmp_path: Path) -> None:
    one = replay_case(fitting(seed), EVERYTHING, tmp_path)
    comparisons = [*replay(one, "sim", tmp_path), *replay(one, "lava", tmp_path)]
    comparisons.append(under_cocotb(one, f"everything-{seed}", "verilator"))
    assert [v.first_difference for v in comparisons] == [None] * 5
    assert all(v.checked > 100 for v in comparisons)


def test_rows_by_hand_happen_in_their_order_and_end_alike_on_every_machine(tmp_path: Path) -> None:
    """Samples have their last faults in ticks 2, 7 and 12; rows of a tick come in no order."""
    case = fitting(3)
    rows: dict[str, Any] = random_rows(4, case.network, len(case.inputs))
    for row in rows["faults"]:
        row[1] = min(row[1], 2 + 5 * row[0])
    by_hand = FaultMap(case.network.sha256, len(case.inputs), **rows)
    states = sim.relax(case.network, case.inputs).states
    one = ReplayCase(case.network, by_hand, case.inputs, states, SWEEPS)
    comparisons = [*replay(one, "sim", tmp_path), *replay(one, "lava", tmp_path)]
    comparisons.append(on_core(one, Expected(one), tmp_path, lanes=4))
    assert [v.first_difference for v in comparisons] == [None] * 5


@pytest.mark.skipif("icarus" not in simulators(), reason="Icarus Verilog is not installed")
@pytest.mark.parametrize("kind", ALONE)
def test_each_kind_of_damage_in_icarus_and_lava(kind: str, tmp_path: Path) -> None:
    one = replay_case(fitting(60 + list(ALONE).index(kind)), ALONE[kind], tmp_path)
    comparisons = [*replay(one, "sim", tmp_path), *replay(one, "lava", tmp_path)]
    comparisons.append(under_cocotb(one, kind, "icarus"))
    assert [v.first_difference for v in comparisons] == [None] * 5


def test_the_compiled_core_replays_and_a_wrong_map_shows(tmp_path: Path) -> None:
    one = replay_case(fitting(3), EVERYTHING, tmp_path)
    (comparison,) = replay(one, "rtl", tmp_path / "core")
    assert comparison.first_difference is None
    expected = Expected(one)
    for change in ({"stuck": ()}, {"faults": ()}, {"frozen": ()}):
        other = replace(one, fault_map=replace(one.fault_map, **change))
        for machine in ("rtl", "lava"):
            (found,) = replay_against(other, expected, machine, tmp_path / "core")
            assert found.first_difference is not None, (machine, change.keys())


@pytest.mark.parametrize("make", MAKERS)
def test_faults_of_parameters_hit_all_their_edges_on_every_machine(
    make: Maker, tmp_path: Path
) -> None:
    """Machines that hold matrices take the faulty parameters' lowering."""
    one = replay_case(make(51), EVERYTHING, tmp_path)
    assert one.fault_map.parameters
    comparisons = [*replay(one, "sim", tmp_path), *replay(one, "lava", tmp_path)]
    comparisons.append(on_core(one, Expected(one), tmp_path / "core", lanes=4))
    assert [v.first_difference for v in comparisons] == [None] * 5


class DrainingCore(ReplayCore):
    """Watches its memories whenever the core waits. drained: cycles until nothing changed."""

    drained: ClassVar[list[int]] = []

    def _act(self, one: Replay) -> None:
        """Called at the end of the first cycle of waiting."""
        before, last = self._memories(), 0
        for cycle in range(2, 20):
            self._model.cycle()
            after = self._memories()
            last, before = (cycle if after != before else last), after
        self.drained.append(last)
        super()._act(one)

    def _memories(self) -> list[list[int]]:
        return [self._words(page) for page in (self._states, self._sums)]


@pytest.mark.parametrize("choices", [{}, {"large_coupling": 1, "update_lanes": 2}])
def test_a_waiting_core_has_written_everything_after_the_cycles_that_are_stated(
    choices: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toreq_hw.rtl.replay_core.ReplayCore", DrainingCore)
    monkeypatch.setattr(DrainingCore, "drained", [])
    case = fitting(3)
    one = replay_case(case, ALONE["state_upset"], tmp_path)
    comparison = on_core(one, Expected(one), tmp_path / "core", lanes=4, **choices)
    assert comparison.first_difference is None
    assert max(DrainingCore.drained) == DRAIN_CYCLES


KINDS: dict[str, dict[str, Any]] = {
    "rows": {},
    "skewed": {"large_coupling": 1},
    "loaded-rows": {"initialised": False},
    "slices": {"update_lanes": 2},
    "registered": {"accumulator_register": True},
    "loaded-rows-skewed-slices": {"large_coupling": 1, "initialised": False, "update_lanes": 2},
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_storage_replays_everything(kind: str, tmp_path: Path) -> None:
    choices = KINDS[kind]
    one = replay_case(fitting(20), EVERYTHING, tmp_path)
    stores = replay_parameters(one.network, 4, SWEEPS, **choices).stores
    assert any(store.skewed for store in stores) == ("large_coupling" in choices)
    assert any(not store.initialised for store in stores) == ("initialised" in choices)
    comparison = on_core(one, Expected(one), tmp_path / "core", lanes=4, **choices)
    assert (comparison.first_difference, comparison.checked > 100) == (None, True)


def test_sums_are_flipped_without_their_rounding_halves(tmp_path: Path) -> None:
    """The core keeps a sum with its half, the map flips bits of the sum alone."""
    case = fitting(3)
    assert all(slot.half for slot in replay_parameters(case.network, 4, SWEEPS).relaxing)
    one = replay_case(case, [p.AccumulatorUpset(0.05, 1)], tmp_path)
    comparison = on_core(one, Expected(one), tmp_path / "core", lanes=4)
    assert comparison.first_difference is None


def test_slices_replay_in_verilator(tmp_path: Path) -> None:
    one = replay_case(fitting(20), EVERYTHING, tmp_path)
    choices = KINDS["loaded-rows-skewed-slices"]
    comparison = under_cocotb(one, "slices", "verilator", choices)
    assert comparison.first_difference is None


def replay_against(
    one: ReplayCase, expected: Expected, machine: str, folder: Path
) -> list[Comparison]:
    """A machine's run of one map held against the reference engine's run of another."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("toreq_hw.studies.replaying.Expected", lambda _: expected)
        return replay(one, machine, folder)


def test_a_population_coupled_to_itself_replays_lasting_damage_only(tmp_path: Path) -> None:
    net = layered((6, 5, 3), WeightFormat.TERNARY, (3, 3), loop_fraction_bits=3)
    rng = np.random.default_rng(4)
    couplings = []
    for coupling in net.couplings:
        weight = rng.integers(-1, 2, coupling.parameters.shape).astype(np.int8)
        if coupling.is_self_coupling:
            weight = np.triu(weight, 1) + np.triu(weight, 1).T
        couplings.append(coupling.with_parameters(weight.astype(np.int8)))
    net = replace(net, couplings=tuple(couplings), schedule=Schedule.SEQUENTIAL)
    case = Case(net, rng.integers(0, 256, (3, 6)).astype(np.int16), np.zeros(3, np.int64))
    lasting = [*ALONE["weights"], *ALONE["dead_maximum"], *ALONE["stuck_message_bits"]]
    one = replay_case(case, [*lasting, *ALONE["standing_states"]], tmp_path)
    comparisons = [*replay(one, "rtl", tmp_path / "core"), *replay(one, "lava", tmp_path)]
    assert [v.first_difference for v in comparisons] == [None, None]
    upset = replay_case(case, ALONE["state_upset"], tmp_path)
    assert replay(upset, "lava", tmp_path)[0].first_difference is None
    with pytest.raises(InputError, match="must be of networks without self-coupling on the core"):
        replay_on_core(
            net,
            net,
            asdict(upset.fault_map),
            upset.inputs,
            upset.start,
            parameters=replay_parameters(net, 4, SWEEPS),
            folder=tmp_path / "core",
        )


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    blank = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    network.save(with_random_weights(blank, rng), tmp_path / "net.safetensors")
    network.save(blank, tmp_path / "other.safetensors")

    def outcome(*arguments: str) -> int:
        with pytest.raises(SystemExit) as ended:
            commands.main(["replay", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code

    net, path = str(tmp_path / "net.safetensors"), str(tmp_path / "map.json")
    made = ["--make", "dead_neurons=0.3", "--make", "single_state_flip=8", "--samples", "2"]
    assert outcome(net, path, *made, "--json", str(tmp_path / "r.json")) == 0
    work = str(tmp_path / "work")
    assert outcome(net, path, "--on", "sim,rtl,lava", "--work", work) == 0
    capsys.readouterr()
    for arguments, message in (
        ((str(tmp_path / "other.safetensors"), path), "the fault map must belong to this network"),
        ((net, path, "--on", "mars"), "--on must be some of sim, rtl, lava, found 'mars'"),
        ((net, path, "--make", "dead_neurons"), "--make must be LAYER=LEVEL"),
        ((net, path, "--make", "rust=1"), "layer must be one of"),
        ((net, str(tmp_path / "none.json")), "must be readable"),
    ):
        assert outcome(*arguments) == 2
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    assert len(data.load("digits").test) > 2

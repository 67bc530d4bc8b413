"""Pieces of work of a search, each beside the command or the record that it must agree with."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from testbench.search.problems import problem
from toreq_hw import network
from toreq_hw.boards import registry
from toreq_hw.boards.tool_reports.resources import counted
from toreq_hw.boards.tool_reports.yosys_stat import Synthesis
from toreq_hw.errors import InputError
from toreq_hw.reading import read_record
from toreq_hw.records.search import Choices
from toreq_hw.records.synthesis import Synthesis as Synthesised
from toreq_hw.studies.searching import stages
from toreq_hw.studies.searching.bounds import fit
from toreq_hw.studies.searching.problem import Damage
from toreq_hw.studies.searching.rebuild import commands_of
from toreq_hw.studies.searching.shapes import core_run, network_run, whole_run
from toreq_hw.studies.searching.stages import Bench
from toreq_hw.targets.workload import workload

ROOT = Path(__file__).parents[2]
SMALL = Choices(
    hidden=(12,),
    weights="ternary",
    state_bits=8,
    latent_bits=12,
    fraction_offset=0,
    readout="relaxing",
    feedback_shift=0,
    lanes=2,
    learn_lanes=0,
    board="ulx3s_25f",
    clock_mhz=40.0,
)
EPOCHS = 2


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One trained network lies in its folder."""
    made = Bench(
        data="digits",
        holdout=287,
        timed=40,
        train_seed=1,
        damage=Damage("dead_neurons", 0.0),
        damage_trials=2,
        place_seeds=1,
        folder=tmp_path_factory.mktemp("networks"),
    )
    stages.train(made, network_run(SMALL, EPOCHS))
    return made


def test_cycles_are_those_of_the_workload_and_no_less_than_the_bound(bench: Bench) -> None:
    found = stages.count_cycles(bench, core_run(SMALL, EPOCHS))
    net = network.load(bench.network_path(SMALL, EPOCHS))
    from toreq_hw.boards.fit.check import check_fit

    parameters = check_fit(registry.get(SMALL.board), net, SMALL.lanes)
    first = replace(bench.dataset, test=bench.dataset.test.take(slice(0, 40)))
    known = workload(net, parameters, first)
    assert (found.cycles_p50, found.cycles_p95) == (known.cycles_p50, known.cycles_p95)
    least = fit("digits", SMALL).least
    assert least.cycles_p50 is not None
    assert found.cycles_p50 > least.cycles_p50


def test_an_accumulator_register_is_of_the_design_alone(bench: Bench) -> None:
    held = replace(SMALL, accumulator_register=True)
    assert network_run(held, EPOCHS) == network_run(SMALL, EPOCHS)
    assert core_run(held, EPOCHS) == core_run(SMALL, EPOCHS), "it takes no cycle"
    for choices in (SMALL, held, replace(held, learn_lanes=1)):
        found = stages.request_of(bench, whole_run(choices, EPOCHS)).parameters
        assert found.accumulator_register is choices.accumulator_register
        lines = commands_of(problem(), 0, choices)
        said = ["--accumulator-register" in line for line in lines]
        assert said == [False, choices.accumulator_register, choices.accumulator_register]


def test_damage_of_nothing_changes_nothing_and_of_everything_leaves_chance(bench: Bench) -> None:
    run = network_run(SMALL, EPOCHS)
    whole = stages.damage(bench, run).value
    clean = stages.count_cycles(bench, core_run(SMALL, EPOCHS)).accuracy
    assert whole == pytest.approx(clean)
    ruled = stages.damage(replace(bench, damage=Damage("dead_neurons", 1.0)), run).value
    assert ruled < 0.3 < whole


def test_a_core_that_learns_has_a_time_of_training(bench: Bench) -> None:
    learns = replace(SMALL, learn_lanes=1)
    slow = stages.count_training(bench, whole_run(learns, EPOCHS)).value
    wide = replace(SMALL, lanes=8, learn_lanes=8)
    fast = stages.count_training(bench, whole_run(wide, EPOCHS)).value
    assert 100 < fast < slow < 10_000


def test_energy_is_an_estimate_or_a_reason(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = {**whole_run(SMALL, EPOCHS), "flip_flops": 1000, "clock_hz": 4e7}
    found = stages.estimate_energy(bench, run)
    assert found.error == ""
    assert 0.01 < found.value < 1000
    other = replace(SMALL, board="tang_nano_9k")
    assert "no source" in stages.estimate_energy(bench, {**run, **whole_run(other, EPOCHS)}).error


def test_yosys_and_nextpnr_agree_on_a_small_core(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = whole_run(SMALL, EPOCHS)
    synthesised = stages.synthesise(bench, run)
    assert synthesised.error == ""
    placed = stages.place(bench, run)
    assert placed.error == ""
    assert placed.design == synthesised.design
    assert placed.block_ram == synthesised.block_ram
    assert 0.7 * placed.cells < synthesised.cells <= placed.cells
    assert placed.met
    assert len(placed.fmax) == 1
    known = fit("digits", SMALL).figures.block_ram
    assert known is not None
    assert abs(placed.block_ram - known) <= 2, "what the fit says before any tool runs"


def test_a_design_that_cannot_be_built_is_a_row_with_a_reason(bench: Bench) -> None:
    wide = replace(SMALL, board="ice40_hx8k_b_evn", lanes=64, clock_mhz=None)
    assert "must fit onto ice40_hx8k_b_evn" in stages.synthesise(bench, whole_run(wide, 2)).error
    assert "must fit onto ice40_hx8k_b_evn" in stages.place(bench, whole_run(wide, 2)).error


def test_what_yosys_counts_is_near_what_was_placed() -> None:
    """For every published design: tables at most as many, blocks and flip-flops the same."""
    record = read_record(ROOT / "reports/published/synthesis.json", Synthesised, InputError)
    assert len(record.rows) > 5
    for row in record.rows:
        family = registry.get(row.synthesis.board).family
        found, known = counted(family, Synthesis(row.synthesis.cells)), row.synthesis.resources
        assert 0.65 * known.lut4 < found.lut4 <= known.lut4, row.name
        assert found.block_ram == known.block_ram, row.name
        assert (found.ff, found.spram) == (known.ff, known.spram), row.name
        assert found.dsp <= known.dsp or known.dsp == 0


def test_bounds_hold_for_every_published_design() -> None:
    """Adders of the lanes are never more than the tables that were placed."""
    text = (ROOT / "reports/published/synthesis.json").read_text(encoding="utf-8")
    for row in json.loads(text)["rows"]:
        built = row["synthesis"]
        assert built["lanes"] * built["accumulator_bits"] <= built["resources"]["lut4"]

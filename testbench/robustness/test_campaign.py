"""Campaigns: intervals, plans, ledgers that lose nothing, controls that can fail, commands."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from toreq_hw import commands, data, network, sim
from toreq_hw.errors import InputError, MissingDependencyError, ToreqError
from toreq_hw.network import Network, Schedule, WeightFormat, layered
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.baselines.feed_forward import feed_forward, has_counterpart
from toreq_hw.sim.baselines.feed_forward_training import train_feed_forward
from toreq_hw.sim.campaign.planning import Plan, student, trials_needed, wilson
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.summary import check_controls, summarise_level
from toreq_hw.sim.campaign.trial import Trial, run_trial
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.training_samples import TrainingSamples, learn_epoch
from toreq_hw.studies import campaign as runner
from toreq_hw.studies import work
from toreq_hw.studies.campaign import ledger_of


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ternary 64-32-10 network that knows digits well, and its baseline beside it."""
    folder = tmp_path_factory.mktemp("networks")
    digits = data.load("digits")
    settings = recipe(WeightFormat.TERNARY, 64)
    shape = layered((64, 32, 10), WeightFormat.TERNARY, settings.fraction_bits, beta_shift=0)
    trainer = Trainer(shape, settings.rule(shape, 8), 1)
    inputs = data.encode(digits.train.images, digits.pixel_max, shape.input)
    for _ in range(8):
        learn_epoch(trainer, TrainingSamples(inputs, digits.train.labels, digits.shape))
    network.save(trainer.network(), folder / "net.safetensors")
    baseline = train_feed_forward(
        shape, inputs, digits.train.labels, image_shape=(8, 8), augment=0, epochs=30, seed=1
    )
    network.save(baseline, folder / "twin.safetensors")
    return folder / "net.safetensors"


def setting(path: Path, kind: str, **given: object) -> Setting:
    return Setting(str(path), "digits", 120, kind, **given)  # type: ignore[arg-type]


def outcome(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_wilson_by_hand() -> None:
    # z = 1.96: centre (1 + z^2/20) / (10 + z^2/10)..: the textbook interval of 1 in 10.
    found = wilson(1, 10, 0.95)
    assert (found.low, found.high) == pytest.approx((0.01788, 0.40415), abs=1e-4)
    assert wilson(0, 50, 0.99).low == 0.0
    assert wilson(50, 50, 0.99).high == pytest.approx(1.0)


def test_student_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(2000):
        found = student(rng.normal(0.5, 0.05, 6).tolist(), 0.9)
        covered += found.low <= 0.5 <= found.high
    assert abs(covered / 2000 - 0.9) < 0.02


def test_the_plan_reaches_its_margin() -> None:
    pilot = [0.80, 0.82, 0.84, 0.81, 0.83]
    count = trials_needed(pilot, 0.99, 0.005, 1000)
    spread = np.std(pilot, ddof=1)

    def half_width(n: int) -> float:
        return float(stats.t.ppf(0.995, n - 1) * spread / n**0.5)

    assert half_width(count) <= 0.005 < half_width(count - 1)
    assert trials_needed(pilot, 0.99, 0.005, 30) == 30
    assert trials_needed([0.5] * 5, 0.99, 0.005, 30) == 5


def test_trials_are_repeatable_and_controls_hold(trained: Path, tmp_path: Path) -> None:
    one = setting(trained, "weight_bit_flip", baseline=str(trained.with_name("twin.safetensors")))
    assert run_trial(one, 0.05, 3) == run_trial(one, 0.05, 3)
    assert run_trial(one, 0.05, 3) != run_trial(one, 0.05, 4)
    plan = Plan((0.05,), trials=3)
    by_level = runner.run(one, plan, ledger_of(one, tmp_path / "s"), jobs=1)
    assert {level: len(t) for level, t in by_level.items()} == {0.0: 1, 0.05: 3, 0.5: 8}
    controls = check_controls(one, by_level, plan, 0.13)
    assert controls.passed
    assert by_level[0.0][0].accuracy > 0.85
    assert by_level[0.0][0].twin_accuracy > 0.85
    summary = summarise_level(by_level[0.05], 0.99, per_image=False)
    assert summary.accuracy.low < summary.accuracy.value < summary.accuracy.high


def test_controls_fail_where_damage_does_nothing_or_nothing_does_damage(trained: Path) -> None:
    one = setting(trained, "weight_bit_flip")
    clean, flipped = run_trial(one, 0.0, 0), run_trial(one, 0.05, 0)
    plan = Plan((0.05,), trials=1)
    # The prototype's fault: a mask without effect leaves full accuracy at "full damage".
    without_effect = check_controls(one, {0.0: [clean], 0.5: [clean] * 8}, plan, 0.13)
    assert not without_effect.ruin_is_chance
    assert not without_effect.passed
    leaking = check_controls(one, {0.0: [flipped], 0.5: [flipped] * 8}, plan, 0.13)
    assert not leaking.zero_is_exact


def test_an_interrupted_campaign_keeps_its_trials(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, plan = setting(trained, "dead_neurons"), Plan((0.2, 0.4), trials=3)
    folder = tmp_path / "s"
    whole = runner.run(one, plan, ledger_of(one, tmp_path / "whole"), jobs=1)
    done = 0

    def interrupted(*arguments: object) -> Trial:
        nonlocal done
        done += 1
        if done > 5:
            raise KeyboardInterrupt
        return run_trial(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "run_trial", interrupted)
    with pytest.raises(KeyboardInterrupt):
        runner.run(one, plan, ledger_of(one, folder), jobs=1)
    assert len(ledger_of(one, folder)) == 5
    path = ledger_of(one, folder).path
    path.write_text(path.read_text() + '{"run": {"level": 0.2, "tri')  # a crash inside a write
    later = 0

    def counted(*arguments: object) -> Trial:
        nonlocal later
        later += 1
        return run_trial(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "run_trial", counted)
    assert runner.run(one, plan, ledger_of(one, folder), jobs=1) == whole
    assert later == sum(map(len, whole.values())) - 5
    assert len(ledger_of(one, folder)) == sum(map(len, whole.values()))  # the cut line is gone


def test_a_damaged_ledger_is_refused(trained: Path, tmp_path: Path) -> None:
    one = setting(trained, "dead_neurons")
    path = ledger_of(one, tmp_path).path
    path.write_text("not a trial\n")
    with pytest.raises(InputError, match="line 1: must be JSON"):
        ledger_of(one, tmp_path)


def test_processes_give_the_trials_of_one_process(trained: Path, tmp_path: Path) -> None:
    one, plan = setting(trained, "state_noise"), Plan((0.5,), trials=3)
    here = runner.run(one, plan, ledger_of(one, tmp_path / "a"), jobs=1)
    there = runner.run(one, plan, ledger_of(one, tmp_path / "b"), jobs=2)
    assert here == there


def test_a_scheduler_that_is_absent_is_one_line(trained: Path, tmp_path: Path) -> None:
    one, plan = setting(trained, "state_noise"), Plan((0.5,), trials=2)
    with pytest.raises((InputError, MissingDependencyError), match="scheduler"):
        runner.run(one, plan, ledger_of(one, tmp_path / "a"), scheduler="tcp://127.0.0.1:1")


def test_a_cluster_that_goes_away_is_one_line_and_loses_nothing(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, plan = setting(trained, "state_noise"), Plan((0.5,), trials=4)
    folder = tmp_path / "s"
    done = 0

    def unplugged(*arguments: object) -> Trial:
        nonlocal done
        done += 1
        if done > 2:
            raise ConnectionResetError("peer gone")
        return run_trial(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(runner, "run_trial", unplugged)
    monkeypatch.setattr(work, "_workers", lambda *_: nullcontext())
    with pytest.raises(InputError, match="scheduler 'tcp://x' must stay reachable, found: peer"):
        runner.run(one, plan, ledger_of(one, folder), scheduler="tcp://x")
    assert len(ledger_of(one, folder)) == 2


def test_every_bit_heals_and_a_broken_relaxation_would_show(trained: Path) -> None:
    for bit in range(1, 9):
        trial = run_trial(setting(trained, "single_state_flip"), float(bit), 0)
        assert trial.exact >= 0.8 * trial.samples  # small nets have more equilibria close by
        assert trial.agreement == trial.samples
    # Without sweeps to relax in, the flipped states stand: nothing is called healed.
    one = setting(trained, "single_state_flip", max_sweeps=1)
    assert run_trial(one, 8.0, 0).unsettled > 100


def plain_feed_forward(net: Network, inputs: np.ndarray) -> np.ndarray:
    """Two layers written out in int64."""
    states = inputs.astype(np.int64)
    for coupling, population in zip(net.couplings, net.relaxing, strict=True):
        fraction_bits = net.accumulator_fraction_bits(population.name)
        total = (states @ coupling.parameters.astype(np.int64)) << (
            fraction_bits - coupling.fraction_bits
        )
        total += net.biases[population.name]
        states = np.clip((total + ((1 << fraction_bits) >> 1)) >> fraction_bits, 0, 255)
    return total.argmax(axis=1)


def test_the_twin_computes_its_layers(trained: Path) -> None:
    baseline = network.load(trained.with_name("twin.safetensors"))
    digits = data.load("digits")
    inputs = data.encode(digits.test.images, digits.pixel_max, baseline.input)
    classes = feed_forward(baseline, inputs)
    assert np.array_equal(classes, plain_feed_forward(baseline, inputs))
    assert np.mean(classes == digits.test.labels) > 0.9
    for kind in p.KINDS:
        layer = p.make_layer(kind, level=0.0)
        if isinstance(layer, p.LearningLayer):
            continue
        if has_counterpart(layer):
            assert np.array_equal(feed_forward(baseline, inputs, [layer]), classes), kind
    dead = feed_forward(baseline, inputs, [p.DeadNeurons(1.0)])
    assert len(np.unique(dead)) == 1
    with pytest.raises(InputError, match="must have events and ticks to act on"):
        feed_forward(baseline, inputs, [p.DroppedEvents(0.1)])
    loop = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3), loop_fraction_bits=3)
    with pytest.raises(InputError, match="must be a chain of layers"):
        feed_forward(replace(loop, schedule=Schedule.SEQUENTIAL), inputs)


def test_the_command_writes_its_record_and_page(trained: Path, tmp_path: Path) -> None:
    arguments = ["inject", str(trained), "--layer", "dead_neurons", "--levels", "0:0.6:3"]
    arguments += ["--samples", "60", "--trials", "2", "--jobs", "1", "--store", str(tmp_path)]
    out, record_path = tmp_path / "out", tmp_path / "r.json"
    status = outcome([*arguments, "--out", str(out), "--json", str(record_path)])
    assert status == 0
    record = json.loads(record_path.read_text())
    assert [level["level"] for level in record["levels"]] == [0.0, 0.3, 0.6, 1.0]
    assert record["network_sha256"] == network.load(trained).sha256
    assert record["controls"]["passed"] is True
    page = (out / "index.html").read_text()
    assert "feed-forward" in page
    assert "<svg" in page


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--layer", "rust"], "layer must be one of"),
        (["--levels", "2"], "level of dead_neurons must be in 0..1"),
        (["--levels", "a:b"], "must be first:last:count"),
        (["--levels", "0.1:0.5:1"], "count must be in 2..1000, found '1'"),
        (["--trials", "some"], "--trials must be auto or a whole number"),
        (["--confidence", "1"], "--confidence must be a number in 0..1 without 0 and 1"),
        (["--margin", "0"], "--margin must be a number in 0..100 without 0 and 100"),
        (["--samples", "999"], "--samples must be at most 359"),
        (["--set", "value"], "--set must be NAME=VALUE"),
        (["--set", "place=moon"], "place of dead_neurons must be one of"),
        (["--set", "moon=1"], "settings of dead_neurons must be"),
    ],
)
def test_bad_usage_is_one_line_and_status_2(
    trained: Path, capsys: pytest.CaptureFixture[str], change: list[str], message: str
) -> None:
    arguments = {"--layer": "dead_neurons", "--levels": "0.1"}
    arguments |= dict(zip(change[::2], change[1::2], strict=True))
    flat = [part for pair in arguments.items() for part in pair]
    assert outcome(["inject", str(trained), "--no-twin", *flat]) == 2
    error = capsys.readouterr().err
    assert message in " ".join(error.replace("│", " ").split())


def test_layers_are_listed_without_a_network(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(["inject", "--list-layers"]) == 0
    shown = capsys.readouterr().out
    assert all(kind in shown for kind in p.KINDS)


def test_a_twin_file_of_another_shape_is_refused(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(trained.read_bytes())
    other = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    network.save(other, tmp_path / "net.digits-twin.safetensors")
    assert outcome(["inject", str(path), "--layer", "dead_neurons", "--levels", "0.1"]) == 2
    assert "must have the shape of" in capsys.readouterr().err


def test_summaries_are_json(trained: Path) -> None:
    trial = run_trial(setting(trained, "thermal_noise", max_sweeps=5), 0.1, 0)
    assert trial.unsettled == trial.samples
    summary = summarise_level([trial, trial], 0.95, per_image=True)
    json.dumps(asdict(summary), allow_nan=False)
    assert isinstance(ToreqError(), Exception)


def test_noise_that_never_stops_has_a_control_that_holds(trained: Path) -> None:
    one = setting(trained, "thermal_noise", max_sweeps=4, options=(("last_tick", 8),))
    calm = run_trial(one, 0.0, 0)
    assert calm.unsettled > 0  # four sweeps are not enough for some images
    assert calm.exact == calm.samples
    assert run_trial(one, 0.3, 0).exact < calm.samples


def test_sim_relax_is_untouched_by_having_layers_around(trained: Path) -> None:
    net = network.load(trained)
    inputs = np.zeros((2, 64), np.int16)
    runs: list[Callable[[], sim.PhaseResult]] = [
        lambda: sim.relax(net, inputs),
        lambda: p.relax_with(net, inputs, []),
    ]
    first, second = (run() for run in runs)
    assert sim.first_difference(first, second) is None

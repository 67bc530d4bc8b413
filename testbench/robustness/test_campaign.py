"""Campaigns: trials that repeat, ledgers that lose nothing, controls that can fail."""

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from toreq_hw import network, sim
from toreq_hw.errors import InputError, MissingDependencyError, ToreqError
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.campaign.summary import check_controls, summarise_level
from toreq_hw.sim.campaign.trial import Trial, run_trial
from toreq_hw.studies import campaign as runner
from toreq_hw.studies import work
from toreq_hw.studies.campaign import ledger_of


def setting(path: Path, kind: str, **given: object) -> Setting:
    return Setting(str(path), "digits", 120, kind, **given)  # type: ignore[arg-type]


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


def test_every_flipped_bit_returns_and_a_broken_relaxation_would_show(trained: Path) -> None:
    for bit in range(1, 9):
        trial = run_trial(setting(trained, "single_state_flip"), float(bit), 0)
        assert trial.exact >= 0.8 * trial.samples  # small nets have more equilibria close by
        assert trial.agreement == trial.samples
    # Without sweeps to relax in, the flipped states stand: nothing is called healed.
    one = setting(trained, "single_state_flip", max_sweeps=1)
    assert run_trial(one, 8.0, 0).unsettled > 100


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

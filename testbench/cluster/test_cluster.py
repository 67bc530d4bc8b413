"""Campaigns on a live Dask cluster: the trials of one process, and a cluster that goes away."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from testbench.networks import with_random_weights
from testbench.toy_study import runs, squared, toy
from toreq_hw import commands, network
from toreq_hw.errors import InputError
from toreq_hw.network import WeightFormat, layered
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.studies import campaign as runner
from toreq_hw.studies.campaign import ledger_of
from toreq_hw.studies.work import workers

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@pytest.fixture
def cluster() -> Iterator[subprocess.Popen[str]]:
    """A running cluster; its first line is its address."""
    program = Path(__file__).with_name("cluster.py")
    folders = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **folders},
    )
    with process:
        yield process
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.fixture
def net(tmp_path: Path) -> Path:
    """A small untrained network: what a trial finds is not the point here."""
    rng = np.random.default_rng(1)
    blank = layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    network.save(with_random_weights(blank, rng), tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def test_a_cluster_gives_the_trials_of_one_process(
    net: Path, cluster: subprocess.Popen[str], tmp_path: Path
) -> None:
    one, plan = Setting(str(net), "digits", 60, "dead_neurons"), Plan((0.3,), trials=5)
    there = runner.run(one, plan, ledger_of(one, tmp_path / "a"), scheduler=_address(cluster))
    here = runner.run(one, plan, ledger_of(one, tmp_path / "b"), jobs=1)
    assert here == there


def test_a_ledger_is_the_same_whoever_does_its_runs(
    cluster: subprocess.Popen[str], tmp_path: Path
) -> None:
    ledgers = [toy(tmp_path / name) for name in ("here", "processes", "cluster")]
    places = ({}, {"jobs": 2}, {"scheduler": _address(cluster)})
    found = []
    for ledger, place in zip(ledgers, places, strict=True):
        ledger.add({"number": 3}, squared({"number": 3}))
        with workers(**place):  # type: ignore[arg-type]
            found.append(ledger.complete(runs(12), squared))
    assert found[0] == found[1] == found[2]
    assert [row.number for row in found[0]] == list(range(12))


def test_a_cluster_that_goes_away_is_one_line_and_loses_no_finished_trial(
    net: Path, cluster: subprocess.Popen[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, plan = Setting(str(net), "digits", 60, "dead_neurons"), Plan((0.3, 0.6), trials=80)
    folder, address = tmp_path / "a", _address(cluster)

    def watch(done: int, _total: int) -> None:
        if done == 12:
            _kill(cluster)

    with pytest.raises(InputError, match=r"must stay reachable, found: .*; finished runs"):
        runner.run(one, plan, ledger_of(one, folder), scheduler=address, watch=watch)
    kept = ledger_of(one, folder).rows
    assert 12 <= len(kept) < 160
    finished = runner.run(one, plan, ledger_of(one, folder), jobs=1)
    assert all(trial in finished[trial.level] for trial in kept.values())
    # The command: one line and status 2 where nobody answers any more.
    arguments = ["inject", str(net), "--layer", "dead_neurons", "--levels", "0.3", "--no-twin"]
    with pytest.raises(SystemExit) as ended:
        commands.main([*arguments, "--scheduler", address, "--store", str(tmp_path)])
    assert ended.value.code == 2
    assert "must answer" in capsys.readouterr().err

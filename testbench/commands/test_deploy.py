"""The command `deploy` without heavy dependencies: the target `sim`, the list, bad usage."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import deploy, status_of
from testbench.networks import random_case
from testbench.source_mutants import ROOT
from toreq_hw import network, targets
from toreq_hw.cli.figures import deployment_rows, summary_rows
from toreq_hw.errors import InputError, MissingDependencyError
from toreq_hw.extras import install_command
from toreq_hw.network import DenseCoupling, Network, Population, Role, WeightFormat
from toreq_hw.reading import record_from
from toreq_hw.records.relaxed import Relaxed
from toreq_hw.reports.deployment import status_table
from toreq_hw.targets.expected import first_difference_of, simulate


def small_network(seed: int = 0) -> Network:
    """64-16-10, 8-bit states: takes digits."""
    rng = np.random.default_rng(seed)
    populations = (
        Population("input", 64, Role.INPUT),
        Population("hidden", 16, Role.HIDDEN),
        Population("output", 10, Role.OUTPUT),
    )
    weights = [rng.integers(-1, 2, shape).astype(np.int8) for shape in ((64, 16), (16, 10))]
    couplings = (
        DenseCoupling("input", "hidden", weights[0], 4, WeightFormat.TERNARY),
        DenseCoupling("hidden", "output", weights[1], 3, WeightFormat.TERNARY),
    )
    return Network(populations, couplings, {})


@pytest.fixture
def network_path(tmp_path: Path) -> Path:
    path = tmp_path / "network.safetensors"
    network.save(small_network(), path)
    return path


def test_sim_target_writes_its_record(network_path: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ["--target", "sim", "--network", str(network_path), "--samples", "12"]
    assert deploy(*arguments, "--json", str(out)) == 0
    record = json.loads(out.read_text())
    assert record["bit_exact"] is True
    assert record["samples"] == 12
    assert record["network"]["sha256"] == small_network().sha256
    assert record["phases"]["free"]["changes_checked"] > 0
    assert record["seed"] is None  # nothing is drawn
    hashes = set()
    for more in ((), ("--samples", "11"), ("--samples", "12")):
        assert deploy(*arguments, *more, "--json", str(out)) == 0
        hashes.add(json.loads(out.read_text())["data"]["sha256"])
    assert len(hashes) == 2
    assert record["data"]["sha256"] in hashes


def test_figures_have_the_names_and_units_of_simulate(network_path: Path, tmp_path: Path) -> None:
    """On the same images, each row that both commands show is the same text."""
    files = [tmp_path / name for name in ("deploy.json", "simulate.json")]
    arguments = [str(network_path), "--samples", "12", "--json"]
    assert deploy("--target", "sim", *arguments, str(files[0])) == 0
    assert status_of("simulate", *arguments, str(files[1])) == 0
    record, other = (json.loads(path.read_text()) for path in files)
    shown = dict(deployment_rows(record))
    wanted = dict(summary_rows(record_from(other, Relaxed, "record", InputError)))
    same = ("test accuracy", "events per image", "synaptic operations per image")
    assert [shown[name] for name in same] == [wanted[name] for name in same]
    assert not any("per sample" in name or "synops" in name for name in shown)


def test_sim_target_takes_a_threshold(network_path: Path, tmp_path: Path) -> None:
    records = []
    for threshold in ("0", "2"):
        out = tmp_path / f"{threshold}.json"
        arguments = ["--target", "sim", "--network", str(network_path), "--samples", "12"]
        assert deploy(*arguments, "--threshold", threshold, "--json", str(out)) == 0
        records.append(json.loads(out.read_text()))
    lossless, lossy = records
    assert lossy["threshold"] == 2
    for phase in ("free", "positive"):
        assert lossy["phases"][phase]["events"] < lossless["phases"][phase]["events"]


def test_sim_target_names_the_first_difference() -> None:
    case = random_case(5)
    samples = targets.Samples("random", "random", case.inputs, case.labels)
    phases = simulate(case.network, samples)
    sweeps = phases.positive.sweeps.copy()
    sweeps[2] += 1
    broken = replace(phases, positive=replace(phases.positive, sweeps=sweeps, trace=None))
    found = first_difference_of(phases, broken.all)
    assert found is not None
    assert found.startswith("positive phase, sample 2, sweeps: expected")


def test_list_says_what_each_target_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy("--list-targets") == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in targets.names())


def test_the_list_is_written_as_json_where_asked(tmp_path: Path) -> None:
    out = tmp_path / "targets.json"
    assert deploy("--list-targets", "--json", str(out)) == 0
    listed = json.loads(out.read_text())["targets"]
    assert {"sim", "loihi"} < {one["name"] for one in listed}


def test_an_option_of_one_target_names_it(
    network_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy(str(network_path), "--target", "sim", "--third-party") == 2
    assert "--third-party must go with loihi, not with sim" in capsys.readouterr().err


def test_the_page_has_the_table_of_targets() -> None:
    """docs/neuromorphic.md, the report page and --list-targets say the same, from one place."""
    page = (ROOT / "docs" / "neuromorphic.md").read_text(encoding="utf-8")
    for row in status_table(targets.statuses()).rows:
        assert f"| {' | '.join(row)} |" in page


def test_targets_were_tried_with_the_versions_that_are_pinned() -> None:
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    tried = [text for one in targets.all_targets() for text in one.tried]
    assert len(tried) > 8
    assert [text for text in tried if text.replace(" ", "==") not in pinned] == []


def test_bad_usage_is_one_line_and_status_2(
    network_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deploy() == 2
    assert "either --target or --board-file must be given" in capsys.readouterr().err
    assert deploy("--target", "abacus") == 2
    capsys.readouterr()
    assert deploy("--target", "nir", "--threshold", "2") == 2
    assert "threshold must go with one of sim, rtl, icebreaker" in capsys.readouterr().err
    assert deploy("--target", "sim", "--network", str(network_path), "--samples", "360") == 2
    assert capsys.readouterr().err == (
        "error: --samples must be at most 359, the test images of digits, not 360\n"
    )


def test_a_network_of_another_width_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "narrow.safetensors"
    network.save(random_case(1).network, path)
    assert deploy("--target", "sim", "--network", str(path)) == 2
    assert "images for population" in capsys.readouterr().err


def test_a_missing_dependency_names_its_install_command() -> None:
    target = replace(targets.get("sim"), modules=("no_such_module",), extra="lint")
    wanted = re.escape(f"no_such_module installed; run: {install_command('lint')}")
    with pytest.raises(MissingDependencyError, match=wanted):
        target.require()


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InputError, match="target must be one of sim"):
        targets.get("abacus")

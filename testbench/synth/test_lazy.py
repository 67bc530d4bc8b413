"""What less effort saves, counted as the bench of the core counts it; and images that are lost."""

import json
from pathlib import Path

import numpy as np
import pytest

from testbench.rtl.model import Model
from testbench.synth.test_workload import LANES, random_network
from toreq_hw import commands, data, sim
from toreq_hw.network import save
from toreq_hw.records.lazy import Saving
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import TimingModel
from toreq_hw.targets.laziness import savings

THRESHOLDS, LIMITS = (1, 3), (1, 2)


@pytest.fixture(scope="module")
def found() -> list[Saving]:
    """Of the random network on digits."""
    return list(savings(random_network(), LANES, data.load("digits"), THRESHOLDS, LIMITS))


@pytest.mark.parametrize("number", range(5))
def test_cycles_and_events_are_those_of_the_bench(found: list[Saving], number: int) -> None:
    network, dataset = random_network(), data.load("digits")
    effort, work = found[number].effort, found[number].workload
    parameters = CoreParameters.of(network, LANES, threshold=effort.threshold or None)
    limit = effort.limit or parameters.max_sweeps
    inputs = data.encode(dataset.test.images, dataset.pixel_max, network.input)
    golden = Model(network, parameters, limit, effort.threshold).phases(inputs, None)
    timing = TimingModel(parameters)
    cycles = np.array([timing.cost(phase.for_timing(), report=False).cycles for (phase,) in golden])
    assert work.cycles_mean == cycles.mean()
    assert work.cycles_max == cycles.max()
    assert work.events == sum(len(phase.events) for (phase,) in golden) / len(golden)
    assert work.unsettled == sum(not phase.settled for (phase,) in golden)
    assert found[number].saved == 1 - cycles.mean() / found[0].workload.cycles_mean


def test_less_effort_is_less_work(found: list[Saving]) -> None:
    full, *lossy, first, second = found
    assert [saving.effort.threshold for saving in lossy] == list(THRESHOLDS)
    assert full.workload.events > lossy[0].workload.events > lossy[1].workload.events
    assert first.workload.events < second.workload.events < full.workload.events
    assert first.workload.sweeps == 1
    assert first.workload.unsettled > 0


def test_lost_and_won_are_counted_image_by_image(found: list[Saving]) -> None:
    network, dataset = random_network(), data.load("digits")
    inputs = data.encode(dataset.test.images, dataset.pixel_max, network.input)
    right = [
        sim.relax(network, inputs, max_sweeps=limit).classes == dataset.test.labels
        for limit in (1000, 1)
    ]
    hasty = found[-2]
    assert hasty.effort.limit == 1
    assert hasty.lost == np.count_nonzero(right[0] & ~right[1]) > 0
    assert hasty.won == np.count_nonzero(right[1] & ~right[0]) > 0
    assert (found[0].lost, found[0].won, found[0].p_value) == (0, 0, 1.0)


def test_the_command_writes_what_was_measured(tmp_path: Path, found: list[Saving]) -> None:
    path = tmp_path / "net.safetensors"
    save(random_network(), path)
    arguments = ["--lanes", str(LANES), "--thresholds", "1,3", "--limits", "1,2"]
    with pytest.raises(SystemExit) as ended:
        commands.main(["lazy", str(path), *arguments, "--out", str(tmp_path)])
    assert ended.value.code == 0
    record = json.loads((tmp_path / "lazy.json").read_text())
    (row,) = record["networks"]
    assert [saving["workload"]["cycles_mean"] for saving in row["savings"]] == [
        saving.workload.cycles_mean for saving in found
    ]
    text = (tmp_path / "lazy.md").read_text()
    for saving in found[1:]:
        assert f"{100 * saving.saved:.1f}" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--data", "digits", "--data", "digits"], "once for each of 1 networks"),
        (["--thresholds", "0"], "whole numbers in 1..255 separated by commas, found '0'"),
        (["--limits", "0,3"], "whole numbers in 1..1000000"),
        (["--limits", "3000000"], "whole numbers in 1..1000000"),
        (["--thresholds", "1000"], "whole numbers in 1..255"),
        (["--lanes", "3"], "lanes"),
    ],
)
def test_bad_input_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    path = tmp_path / "net.safetensors"
    save(random_network(), path)
    with pytest.raises(SystemExit) as ended:
        commands.main(["lazy", str(path), *arguments, "--out", str(tmp_path / "out")])
    assert ended.value.code == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "out/lazy.json").exists()

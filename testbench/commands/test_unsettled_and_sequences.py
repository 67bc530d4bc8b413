"""`toreq-hw simulate` where samples cycle, and on sequences; `info` on networks of those kinds."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from testbench.command_line import toreq_hw
from toreq_hw import data, network
from toreq_hw.network import (
    ClampedReadout,
    DenseCoupling,
    Network,
    OwnFeedback,
    Population,
    Role,
    Schedule,
    WeightFormat,
    build,
)


def rotor() -> Network:
    """Ten pairs of signed neurons, h = x - 2 y and y = h, each driven by one of two pixels."""
    drive = np.zeros((64, 10), np.int8)
    drive[20, :5] = drive[28, 5:] = 1
    eye = np.eye(10, dtype=np.int8)
    populations = (
        Population("input", 64, Role.INPUT, 8),
        Population("hidden", 10, Role.HIDDEN, 2, True),
        Population("output", 10, Role.OUTPUT, 2, True),
    )
    couplings = (
        DenseCoupling("input", "hidden", drive, 7, WeightFormat.INT8),
        DenseCoupling(
            "hidden",
            "output",
            eye,
            0,
            WeightFormat.INT8,
            own_feedback=OwnFeedback(-2 * eye, learned=False),
        ),
    )
    return Network(populations, couplings, {}, Schedule.SYNCHRONOUS)


def periods_by_hand() -> dict[int, int]:
    """Test digits by the number of sweeps after which their states return."""
    digits = data.load("digits")
    found: dict[int, int] = {}
    for image in digits.test.images[:, (20, 28)].tolist():
        drives = [(2 * 255 * pixel + 16) // 32 for pixel in image]
        states, seen = ((0, 0), (0, 0)), {}
        sweep = 0
        while states not in seen:
            seen[states] = sweep
            states = tuple(
                (max(-1, min(1, (x - 256 * y + 64) >> 7)), h)
                for x, (h, y) in zip(drives, states, strict=True)
            )
            sweep += 1
        period = sweep - seen[states]
        found[period] = found.get(period, 0) + 1
    return found


def test_exact_periods_are_printed_and_recorded(tmp_path: Path) -> None:
    path, record = tmp_path / "rotor.safetensors", tmp_path / "out.json"
    network.save(rotor(), path)
    done = toreq_hw("simulate", path, "--json", record, "--trace", 0)
    assert done.status == 0, done.error
    wanted = periods_by_hand()
    settled = wanted.pop(1)
    assert settled > 20
    assert min(wanted) > 2
    found = json.loads(record.read_text())
    assert {c["period"]: c["samples"] for c in found["cycles"]} == wanted
    assert found["unsettled"] == sum(wanted.values())
    assert "limit on sweeps" not in done.output
    for period, samples in wanted.items():
        assert re.search(rf"cycles of {period} sweeps\W+{samples}\b", done.output)
    assert "image 0: states return after 4 sweeps" in done.output
    assert "energy" not in done.output  # there is none


def test_a_cycle_of_two_and_a_settled_net(tmp_path: Path) -> None:
    path, record = tmp_path / "net.safetensors", tmp_path / "out.json"
    first, second = rotor().couplings
    symmetric = replace(second, own_feedback=None)
    network.save(replace(rotor(), couplings=(first, symmetric)), path)
    assert toreq_hw("simulate", path, "--samples", 50, "--json", record).status == 0
    found = json.loads(record.read_text())
    assert [cycle["period"] for cycle in found["cycles"]] == [2] * bool(found["unsettled"])
    network.save(network.layered((64, 8, 10), WeightFormat.TERNARY, (3, 3)), path)
    done = toreq_hw("simulate", path, "--samples", 50, "--json", record)
    assert json.loads(record.read_text())["cycles"] == []
    assert "cycles of" not in done.output


def attends(rows: int) -> Network:
    return build(
        "8x18",
        ["attention 4", f"conv {80 // rows} 1" if rows == 8 else "dense 80"],
        weight_format=WeightFormat.TERNARY,
        input_bits=7,
        readout=ClampedReadout((1, 1), rows=rows),
    )


def test_sequences_are_simulated(tmp_path: Path) -> None:
    path, record = tmp_path / "net.safetensors", tmp_path / "out.json"
    network.save(attends(8), path)
    done = toreq_hw(
        *("simulate", path, "--data", "copy-8", "--samples", 30, "--trace", 2, "--json", record)
    )
    assert done.status == 0, done.error
    assert json.loads(record.read_text())["data"] == "copy-8"
    assert "classes 0 0 0 0 0 0 0 0" in done.output


@pytest.mark.parametrize(
    ("name", "must"),
    [
        ("digits", "must have 64 inputs and 10 outputs for digits, found 144 and 80"),
        ("reversal-9", "must have 171 inputs and 90 outputs for reversal-9, found 144 and 80"),
        ("reversal-3", "--data must be reversal-N with N in 4..64, found 'reversal-3'"),
        ("copy-N", "--data must be copy-N with N in 4..64, found 'copy-N'"),
        ("recall-09", "--data must be recall-N with N in 2..8, found 'recall-09'"),
        ("sums-" + "9" * 30, "--data must be sums-N with N in 7..64, found 'sums-999"),
        ("revers-8", "module:function, found 'revers-8'; did you mean 'reversal-N'?"),
    ],
)
def test_data_that_does_not_fit_is_refused(tmp_path: Path, name: str, must: str) -> None:
    path, record = tmp_path / "net.safetensors", tmp_path / "out.json"
    network.save(attends(8), path)
    done = toreq_hw("simulate", path, "--data", name, "--json", record)
    assert done.status == 2
    assert must in done.error
    assert not record.exists()


def test_a_readout_of_one_class_is_refused_for_eight_labels(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    network.save(attends(1), path)
    done = toreq_hw("simulate", path, "--data", "copy-8")
    assert done.status == 2
    assert "must have a clamped readout of 8 rows for copy-8, found 1" in done.error


def commands_of(net: Network, path: Path) -> set[str]:
    network.save(net, path)
    record = path.with_suffix(".json")
    assert toreq_hw("info", path, "--json", record).status == 0
    return {text.split()[1] for text in json.loads(record.read_text())["commands"]}


def test_info_names_no_command_that_refuses_the_network(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    assert commands_of(attends(8), path) == {"simulate", "train"}
    assert commands_of(rotor(), path) == {"simulate", "train"}
    plain = network.layered((64, 8, 10), WeightFormat.TERNARY, (3, 3))
    clamped = network.layered((64, 8, 10), WeightFormat.TERNARY, (3, 3), readout=ClampedReadout())
    refusing = commands_of(plain, path) - commands_of(clamped, path)
    assert refusing == {"inject", "replay", "rtl", "lazy", "synth", "deploy"}
    out = ("--out", tmp_path / "out")
    for words in (("inject", path, "--layer", "dead_neurons", "--levels", "0.1"), ("rtl", path)):
        done = toreq_hw(*words, *out)
        assert done.status == 2
        assert "readout must be relaxing" in done.error

"""Whatever a fault map cannot be is refused in one line, by the file and in memory alike."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.networks import random_case
from toreq_hw import sim
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.sim import perturbation as p
from toreq_hw.sim.perturbation import fault_map
from toreq_hw.sim.perturbation.fault_map import FaultMap

MAP = random_case(1, schedule=Schedule.SEQUENTIAL, batch=3)
"""A network with populations input, hidden1, output, or more; hidden1 couples to itself."""

HIDDEN, OUTPUT = MAP.network.relaxing[0], MAP.network.output
LOOP = f"{HIDDEN.name}-{HIDDEN.name}"
HUGE = 10**40

WRONG: list[tuple[str, Any, str]] = [
    ("faults", [[0, 0, "output", 0, "state_flip", 0]], r"faults\[0\]: tick must be .* in 1\.\."),
    ("faults", [[0, -3, "output", 0, "event_drop", 0]], r"tick must be a whole number in 1\.\."),
    ("faults", [[0, HUGE, "output", 0, "event_drop", 0]], "found 1000000000000000000000"),
    ("faults", [[3, 1, "output", 0, "event_drop", 0]], r"sample must be .* in 0\.\.2, found 3"),
    ("faults", [[0, 1, "output", OUTPUT.size, "event_drop", 0]], "neuron must be"),
    ("faults", [[0, 1, "output", -1, "event_drop", 0]], "neuron must be"),
    ("faults", [[0, 1, "input", 0, "event_drop", 0]], "population must be one of hidden1"),
    ("faults", [[0, 1, ["output"], 0, "event_drop", 0]], "population must be text"),
    ("faults", [[0, 1, "\ud800", 0, "event_drop", 0]], "population must be text"),
    ("faults", [[0, 1, "output", 0, "gremlin", 0]], "fault must be one of state_flip, silent_flip"),
    ("faults", [[0, 1, "output", 0, "State_Flip", 0]], "fault must be one of"),
    ("faults", [[0, 1, "output", 0, "state_flip", OUTPUT.state_bits]], "bit must be"),
    ("faults", [[0, 1, "output", 0, "silent_flip", 8]], "bit must be"),
    ("faults", [[0, 1, "output", 0, "event_flip", OUTPUT.state_bits + 1]], "bit must be"),
    ("faults", [[0, 1, "output", 0, "event_drop", 1]], r"bit must be .* in 0\.\.0, found 1"),
    ("faults", [[0, 1, "output", 0, "accumulator_flip", 32]], r"bit must be .* in 0\.\.31"),
    ("faults", [[True, 1, "output", 0, "event_drop", 0]], "sample must be .*found True"),
    ("faults", [[0, 1.0, "output", 0, "event_drop", 0]], "tick must be .*found 1.0"),
    ("faults", [[0, 1, "output", 0, "event_drop"]], r"must be a row of sample, tick, population"),
    ("faults", {"a": 1}, "must be a list"),
    ("faults", [3], r"faults\[0\] must be a row of"),
    ("stuck", [["output", 0, OUTPUT.state_max + 1]], "state must be"),
    ("stuck", [["output", 0, OUTPUT.state_min - 1]], "state must be"),
    ("stuck", [["output", 0, -32768]], "state must be"),
    ("stuck", [["output", 0, HUGE]], "state must be"),
    ("stuck", [["output", 0, None]], "state must be .*found None"),
    ("stuck", [["nowhere", 0, 1]], "population must be one of hidden1"),
    ("stuck", [["output", 0, 0], ["output", 0, 1]], r"stuck\[1\] must be of a place not listed"),
    ("inverted", [["output", 0, 1 << OUTPUT.state_bits]], "mask must be"),
    ("inverted", [["output", 0, -1]], "mask must be"),
    ("inverted", [["output", 0, 0], ["output", 0, 0]], "must be of a place not listed yet"),
    ("messages", [["output", 0, 2 << OUTPUT.state_bits]], "mask must be"),
    ("messages", [["output", 0, 1], ["output", 0, 1]], "must be of a place not listed yet"),
    ("frozen", [[0, 0]], "tick must be"),
    ("frozen", [[9, 99]], "frozen.*must be"),
    ("frozen", [[-1, 9]], "colour must be"),
    ("frozen", [[0, 9], [0, 7]], "must be of a place not listed yet"),
    ("states", [[0, "output", 0, OUTPUT.state_max + 1]], "state must be"),
    ("states", [[3, "output", 0, 0]], "sample must be"),
    ("states", [[0, "output", 0, 0], [0, "output", 0, 1]], "must be of a place not listed yet"),
    ("weights", [["input-output", 0, 0, 1]], "coupling must be one of"),
    ("weights", [[LOOP, 99, 0, 1]], "row must be"),
    ("weights", [[LOOP, 0, 99, 1]], "column must be"),
    ("weights", [[LOOP, 0, 1, 128], [LOOP, 1, 0, 128]], "word must be"),
    ("weights", [[LOOP, 0, 1, HUGE]], "word must be"),
    ("weights", [[LOOP, 0, 1, 1]], "must list both mirrors alike, found 1 at .* and None at"),
    ("weights", [[LOOP, 0, 1, 1], [LOOP, 1, 0, 0]], "must list both mirrors alike"),
    ("weights", [[LOOP, 0, 0, 1]], "must have a zero diagonal"),
    ("weights", [[LOOP, 0, 1, 1], [LOOP, 0, 1, 1]], "must be of a place not listed yet"),
    ("samples", HUGE, "samples must be a whole number"),
    ("samples", -1, "samples must be a whole number"),
    ("samples", True, "samples must be a whole number"),
    ("network_sha256", 7, "network_sha256 must be text"),
    ("network_sha256", "0" * 64, "must belong to this network"),
]  # fmt: skip


@pytest.mark.parametrize(("entry", "value", "message"), WRONG)
def test_a_wrong_entry_is_refused_alike_in_a_file_and_in_memory(
    entry: str, value: Any, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "map.json"
    good = {"network_sha256": MAP.network.sha256, "samples": 3}
    record = {"format": fault_map.FORMAT, "version": 1, **good, entry: value}
    path.write_text(json.dumps(record))
    with pytest.raises(InputError, match=message) as from_file:
        fault_map.load(path, MAP.network)
    with pytest.raises(InputError, match=message):
        FaultMap(**{**good, entry: value}).relax(MAP.network, MAP.inputs[:3])
    line = str(from_file.value)
    if "must be a whole number" in line:
        assert re.search(r"must be a whole number in -?\d+\.\.\d+, found ", line)
    assert line.startswith(f"{path}: ")
    assert line.isprintable()
    assert len(line) < len(str(path)) + 400


def test_a_file_that_is_no_whole_map_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "map.json"
    FaultMap.make(MAP.network, [p.StateUpset(0.1)], 4).save(path)
    whole = path.read_bytes()
    record = json.loads(whole)
    surprises = {"format": "map", "version": 4, "surprise": 1}
    for content, message in (
        (whole[: len(whole) // 2], "must be JSON, found: "),
        (b"[]", r"must hold an object, found \[\]"),
        (b"", "must be JSON, found: "),
        (b"\xff" + whole, "must be UTF-8 text, found byte 0xff at offset 0"),
        (b'{"faults": ' + b"[" * 5000 + b"]" * 5000 + b"}", "must nest at most 32 deep"),
        (whole.replace(b'"samples"', b'"faults": [], "samples"'), "'faults' twice in one object"),
        *(
            (json.dumps({**record, key: value}).encode(), f"(field {key} must be|must be .*{key})")
            for key, value in surprises.items()
        ),
    ):
        path.write_bytes(content)
        with pytest.raises(InputError, match=message) as caught:
            fault_map.load(path, MAP.network)
        assert "\n" not in str(caught.value)
    path.write_bytes(b"\xef\xbb\xbf" + whole)
    assert fault_map.load(path, MAP.network).samples == 4
    with pytest.raises(InputError, match="must be readable"):
        fault_map.load(tmp_path / "none.json", MAP.network)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"faults": np.array([[0, 0, 0, 0, 0]])}, r"faults\[0\]: tick must be in 1\.\."),
        ({"faults": np.array([[0, 2, 0, 0, 0], [0, 1, 0, 0, 0]])}, "ordered by sample and tick"),
        ({"faults": np.array([[9, 1, 0, 3, 0]])}, r"faults must be of samples 0\.\.3, found 9"),
        ({"faults": np.array([[0, 1, 999, 0, 0]])}, "neuron must be in"),
        ({"faults": np.array([[0, 1, 0, 6, 0]])}, "kind must be in 0..5, not 6"),
        ({"faults": np.array([[0, 1, 0, 0, 9]])}, "bit must be in"),
        ({"weight_flips": np.array([[0, 0, 1, 0, 0]])}, r"weight_flips\[0\]: tick must be in 1"),
        ({"weight_flips": np.array([[0, 1, 1, 999, 0]])}, "cell must be in"),
        ({"weight_flips": np.array([[0, 1, 99, 0, 0]])}, "coupling must be in"),
        ({"stuck": 300}, r"stuck\[0\] must be in"),
        ({"state_xor_mask": 512}, r"state_xor_mask\[0\] must be in"),
        ({"message_xor_mask": 1024}, r"message_xor_mask\[0\] must be in"),
        ({"frozen_from": 0}, r"frozen_from\[0\] must be in 1\.\."),
        ({"stuck_bits": 1}, "stuck_bits of both kinds"),
    ],
)
def test_a_disturbance_made_by_hand_is_checked_by_every_engine(
    change: dict[str, Any], message: str
) -> None:
    case = random_case(1, schedule=Schedule.SEQUENTIAL)
    none = p.Disturbance.none(case.network)
    filled = {
        name: value if isinstance(value, np.ndarray) else np.full_like(getattr(none, name), value)
        for name, value in change.items()
    }
    given_one = replace(none, **filled)
    for engine in sim.EngineName:
        with pytest.raises(InputError, match=message):
            sim.relax(
                case.network,
                case.inputs,
                engine=p.disturbed_engine(case.network, given_one, engine),
            )


def test_a_map_of_standing_states_is_not_replayed_without_them() -> None:
    one = FaultMap(MAP.network.sha256, 3, states=((0, "output", 0, 0),))
    with pytest.raises(InputError, match="states must be given to a map of standing states"):
        one.relax(MAP.network, MAP.inputs[:3])


@pytest.mark.parametrize(
    ("entry", "row", "range_of_all"),
    [
        ("stuck", ["output", 0, HUGE], "state must be a whole number in -127..255"),
        ("stuck", ["output", HUGE, 0], "neuron must be a whole number in 0..2147483647"),
        ("inverted", ["output", 0, None], "mask must be a whole number in 0..511"),
        ("weights", [LOOP, 0, 1, 200], "word must be a whole number in -127..127"),
        ("frozen", [-1, 9], "colour must be a whole number in 0..2147483647"),
        (
            "faults",
            [0, 1, "output", 0, "accumulator_flip", 32],
            "bit must be a whole number in 0..31",
        ),
    ],
)
def test_a_number_that_no_network_has_is_refused_with_the_range(
    entry: str, row: list[Any], range_of_all: str
) -> None:
    with pytest.raises(InputError) as refused:
        FaultMap("0" * 64, 3, **{entry: (row,)})
    assert f"{entry}[0]: {range_of_all}, found " in str(refused.value)

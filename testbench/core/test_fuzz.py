"""The fuzzer must notice a reader that is broken, whatever the way in which it breaks."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from testbench.fuzz import containers, harness
from testbench.fuzz.reader import Reader
from toreq_hw.errors import InputError
from toreq_hw.reading import read_fields

SEED = b'{"format": "planted", "samples": 3, "rows": [[1, 2], [3, 4]]}'

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of processes are POSIX")


def planted(read: Callable[[Path], object]) -> Reader:
    return Reader("planted", 1.0, lambda _: [SEED], read, containers.in_json)


def fuzzed(reader: Reader, count: int = 300) -> harness.Report:
    *_, (_, report) = harness.run([reader], count, seed=1, jobs=1, cpu_limit_s=0.3)
    assert sum(report.outcomes.values()) == count
    return report


def sound(path: Path) -> int:
    """Every check in its place."""
    fields = read_fields(path, 1 << 20, InputError).only(["format", "samples", "rows"])
    rows = fields.rows("rows", 2)
    return fields.integer("samples", 0, 9) + len(rows)


def unguarded(path: Path) -> int:
    """Valid files are read; the rest is met by whatever Python raises."""
    record = json.loads(path.read_text(encoding="utf-8"))
    return int(record["samples"]) + len(record["rows"])


def hanging(path: Path) -> int:
    """Counts for ever where a number is not what it expects."""
    wanted = sound(path)
    while wanted != 5:
        time.monotonic()
    return wanted


def greedy(path: Path) -> bytes:
    """Believes the file's own word for its size."""
    return bytes(sound(path) << 31)


def talkative(path: Path) -> None:
    """An error of many lines."""
    raise InputError("x" * (1 << 14) if path.stat().st_size else "")


def test_a_sound_reader_has_no_failure() -> None:
    report = fuzzed(planted(sound))
    assert report.failures == {}
    assert report.outcomes["planted", harness.ACCEPTED] > 5
    assert report.outcomes["planted", harness.REFUSED] > 100


def test_a_reader_without_guards_is_noticed() -> None:
    kinds = {outcome.split()[0] for _, outcome in fuzzed(planted(unguarded)).failures}
    assert kinds >= {"JSONDecodeError", "TypeError", "KeyError", "RecursionError"}


@pytest.mark.parametrize(
    ("read", "name"),
    [(hanging, "HangError"), (greedy, "MemoryError"), (talkative, "error is not one line")],
)
def test_a_reader_that_hangs_hoards_or_rambles_is_noticed(
    read: Callable[[Path], object], name: str
) -> None:
    outcomes = [outcome for _, outcome in fuzzed(planted(read), 40).failures]
    assert any(outcome.startswith(name) for outcome in outcomes)


def test_an_input_depends_on_seed_name_and_number_alone() -> None:
    first, again = planted(sound), planted(unguarded)
    for index in range(200):
        assert harness.content_of(first, 7, index) == harness.content_of(again, 7, index)
    assert harness.content_of(first, 7, 1) != harness.content_of(first, 8, 1)


def test_a_kept_input_says_which_reader_it_is_for(tmp_path: Path) -> None:
    reader = planted(sound)
    kept = harness.save(tmp_path / "fuzz", reader, reader.make(Random(1)))
    assert kept.name.startswith("planted.")
    assert harness.attempt(reader, kept)[0] in (harness.ACCEPTED, harness.REFUSED)

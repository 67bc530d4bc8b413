"""Every wait and time-out of the project stands in docs/limits.md, with its kind and its reason."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("toreq_hw", "sim", "rtl", "quant", "lava_backend", "boards", "reports", "testbench")
PAGE = (ROOT / "docs/limits.md").read_text(encoding="utf-8")

WAITS = re.compile(
    r"timeout|time_limit|deadline(?!=None)|patience|monotonic\(|ulimit|RLIMIT"
    r"|process_time\(\) - \w+ <|\.wait\([\w.]|_LIMIT_S|HUNG_S|CONNECT_S|CYCLE_LIMIT|GENEROUS_S"
)
"""What a limit on time or work looks like in Python."""


def sources() -> list[Path]:
    """Real folders only: those in toreq_hw are links to the ones beside it."""
    own = Path(__file__)
    return [
        path
        for folder in FOLDERS
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.resolve() == path.absolute() and path != own
    ]


def listed() -> set[str]:
    """Files that the table names."""
    return set(re.findall(r"`([\w/]+\.py)`", PAGE))


def test_every_file_that_waits_is_in_the_table() -> None:
    waiting = {
        path.relative_to(ROOT).as_posix()
        for path in sources()
        if WAITS.search(path.read_text(encoding="utf-8"))
    }
    assert len(waiting) > 15
    assert sorted(waiting - listed()) == []


def test_every_file_in_the_table_is_there() -> None:
    assert [name for name in sorted(listed()) if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize(
    "line",
    [
        "subprocess.run(x, timeout=5)",
        "process.wait(3)",
        "deadline = time.monotonic() + 5",
        "assert time.process_time() - begin < 1",
    ],
)
def test_a_limit_is_recognised(line: str) -> None:
    assert WAITS.search(line)


@pytest.mark.parametrize("line", ["process.wait()", "@settings(deadline=None)"])
def test_what_never_ends_anything_is_no_limit(line: str) -> None:
    assert not WAITS.search(line)

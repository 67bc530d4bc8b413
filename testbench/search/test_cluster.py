"""A search whose work is done on a live Dask cluster finds what it finds in one process."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbench.search.test_searching import found, quick, without_seconds
from toreq_hw.errors import InputError
from toreq_hw.studies.search import Budget, Options
from toreq_hw.studies.search import run as search
from toreq_hw.studies.study import Place

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

PROGRAM = Path(__file__).parents[1] / "cluster" / "cluster.py"


@pytest.fixture
def address() -> Iterator[str]:
    """Of the scheduler of a cluster that runs meanwhile."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )
    with process:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def test_a_cluster_finds_what_one_process_finds(address: str, tmp_path: Path) -> None:
    here = found(quick(), tmp_path / "here")
    options = Options((quick(),), Budget(points=8))
    there = search(options, Place(tmp_path / "there", scheduler=address)).searches[0]
    assert without_seconds(there) == without_seconds(here)


def test_a_scheduler_that_is_not_there_is_refused_before_any_store(tmp_path: Path) -> None:
    options = Options((quick(),), Budget(points=8))
    with pytest.raises(InputError, match=r"scheduler 'tcp://127.0.0.1:9' must answer"):
        search(options, Place(tmp_path, scheduler="tcp://127.0.0.1:9"))
    assert list(tmp_path.iterdir()) == []

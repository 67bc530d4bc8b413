"""A point through place and route, and the three commands that make it again."""

from pathlib import Path

import pytest

from testbench.command_line import toreq_hw as run
from toreq_hw import network
from toreq_hw.errors import InputError
from toreq_hw.reading import parse_json, read_record
from toreq_hw.records.search import Searches


def test_the_commands_of_a_placed_point_make_its_bitstream(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_text(
        'board = "ulx3s_25f"\nminimise = ["cells"]\nmaximise = ["fmax_mhz"]\nbatch = 2\n'
        '[space]\nhidden = "12-8"\nlanes = 2\nweights = "int8"\nstate_bits = 6\nclock_mhz = 40\n'
        "feedback_shift = 1\nfraction_offset = 0\nlatent_bits = 12\n"
        "[rungs]\nshort_epochs = 1\nepochs = 2\nplace_seeds = 1\n"
    )
    done = run("search", "--file", "x.toml", "--budget", "1", "--out", "out")
    assert done.status == 0, done
    (one,) = read_record(Path("out/search.json"), Searches, InputError).searches
    (point,), (front,) = one.points, one.front
    assert point.rung == "place"
    for line in front.commands:
        assert line in done.output
        again = run(*line.split()[1:])
        assert again.status == 0, again
    assert network.load(Path("build/search/point-0.safetensors")).sha256 == point.network_sha256
    text = Path("build/search/point-0/record.json").read_text()
    built = parse_json(text, "record", InputError)
    assert built["fmax_max_mhz"] == point.figures.fmax_mhz
    assert built["resources"]["lut4"] == point.figures.cells
    assert Path("build/search/point-0/top.bit").stat().st_size > 10_000
    assert "seed 1: kept" in again.error, "the very same design: nothing was placed twice"

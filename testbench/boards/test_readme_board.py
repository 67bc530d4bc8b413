"""What the README shows FPGA engineers."""

import shlex
from pathlib import Path

from testbench.readme import ROOT, blocks, run, run_lines, train_the_tour


def test_the_core_is_written_and_answers_behind_a_simulated_board(tmp_path: Path) -> None:
    train_the_tour(tmp_path)
    written, deployed = run_lines("sh fpga", tmp_path)
    assert "build/tour/core" in written
    assert list((tmp_path / "build/tour/core").rglob("*.v"))
    assert "passed" in deployed


def test_the_block_before_it_installs_what_it_needs() -> None:
    """As a dry run, all anew: this environment stays as it is."""
    words = shlex.split(blocks("sh install-boards")[0])
    assert words[0] == "make"
    assert "--editable '.[boards]'" in run([*words, "--dry-run", "--always-make"], ROOT)

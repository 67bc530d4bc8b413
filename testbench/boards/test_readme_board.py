"""What the README shows FPGA engineers."""

from pathlib import Path

from testbench.readme import run_lines, train_the_tour


def test_the_core_is_written_and_answers_behind_a_simulated_board(tmp_path: Path) -> None:
    train_the_tour(tmp_path)
    written, deployed = run_lines("sh fpga", tmp_path)
    assert "build/tour/core" in written
    assert list((tmp_path / "build/tour/core").rglob("*.v"))
    assert "passed" in deployed

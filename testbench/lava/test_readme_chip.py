"""What the README shows neuromorphic engineers."""

from pathlib import Path

from testbench.readme import run_lines, train_the_tour


def test_nengo_and_lava_give_the_same_states(tmp_path: Path) -> None:
    train_the_tour(tmp_path)
    for output in run_lines("sh neuromorphic", tmp_path):
        assert "passed" in output
    assert "core map" in (tmp_path / "build/tour/loihi/index.html").read_text("utf-8").lower()

"""`toreq-hw deploy --train`: what no core can learn is refused in one line, before any other."""

from pathlib import Path

import pytest

from testbench.command_line import toreq_hw as run

BOARD = ("deploy", "--target", "icebreaker", "--train", "digits", "--port", "sim", "--hidden", "8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            ("--bias-shift", "0"),
            "biases of 'hidden': k must be in 2..16 on a core, found 0; use --bias-shift 2 or more",
        ),
        (
            ("--shift", "1"),
            "coupling 'input-hidden': k must be in 2..16 on a core, found 1; use --shift 2 or more",
        ),
        (
            ("--output-shift", "0", "--latent-bits", "15"),
            "coupling 'hidden-output': k must be in 1..15 on a core, found 0; use --output-shift 1",
        ),
        (
            ("--learn-lanes", "8"),
            "--learn-lanes must be a power of two in 1..4, not 8: at most the",
        ),
        (
            ("--readout", "clamped"),
            "for the core, found clamped; train one with readout relaxing",
        ),
        (("--hidden", "4000"), "network must fit onto icebreaker"),
        (("--samples", "360"), "--samples must be at most 359"),
    ],
)
def test_it_is_one_line(options: tuple[str, ...], said: str, tmp_path: Path) -> None:
    done = run(*BOARD, *options, "--out", tmp_path / "folder" / "net.safetensors")
    assert done.status == 2, done
    assert said in done.error
    assert done.error.count("\n") == 1
    assert done.output == ""
    assert list(tmp_path.iterdir()) == []

"""The bar of a training says, in words, the same of both engines."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from toreq_hw import commands
from toreq_hw.cli import console


@pytest.mark.parametrize("engine", ["integer", "torch"])
def test_the_bar_says_training_accuracy(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if engine == "torch":
        pytest.importorskip("brevitas")
    shown = io.StringIO()
    terminal = Console(file=shown, force_terminal=True, width=200)
    monkeypatch.setattr(console, "messages", terminal)
    record = tmp_path / "record.json"
    arguments = ["train", "--engine", engine, "--hidden", "8", "--epochs", "2"]
    arguments += ["--out", str(tmp_path / "net.safetensors"), "--json", str(record)]
    with pytest.raises(SystemExit) as ended:
        commands.main(arguments)
    assert ended.value.code == 0
    last = json.loads(record.read_text())["history"][-1]
    accuracy = last["train_accuracy" if engine == "integer" else "training_accuracy"]
    assert f"training accuracy {100 * accuracy:.2f} %" in shown.getvalue()

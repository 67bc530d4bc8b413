"""The files of `toreq-hw train`: where its checkpoint lies, and whose run goes on."""

from pathlib import Path
from typing import Any

from toreq_hw.commands.checked import Files
from toreq_hw.commands.runs import kept_work
from toreq_hw.destinations import Way, destination


def checkpoint_path(out: Path, named: Path | None) -> Path | None:
    """Where checkpoints go: beside --out unless named; nowhere beside a device."""
    if named is None and destination(out).way is not Way.REPLACED:
        return None
    return named or out.with_suffix(".checkpoint")


def train_files(values: dict[str, Any]) -> Files:
    """A resumed training goes on with its checkpoint's run, and may write that checkpoint."""
    if values["engine"] == "torch":
        return Files()
    resumed = values["resume"]
    kept = checkpoint_path(values["out"], values["checkpoint_path"])
    found = kept_work(resumed) if resumed else None
    return Files(
        outputs={"--checkpoint": kept} if kept else {},
        shared=(("--checkpoint", "--resume"),),
        run=found.run if found else None,
    )

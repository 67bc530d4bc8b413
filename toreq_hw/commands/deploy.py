"""`toreq-hw deploy`: run a network on a target and check it against the simulator."""

import json
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from toreq_hw import data, targets
from toreq_hw.commands.console import output
from toreq_hw.commands.default_network import DEFAULT_PATH, load_or_make
from toreq_hw.commands.options import check_writable, data_option, json_option
from toreq_hw.errors import InputError
from toreq_hw.files import write_json
from toreq_hw.network import Network
from toreq_hw.versions import versions

_EPILOG = """\b
Examples:
  toreq-hw deploy --target loihi
  toreq-hw deploy --target loihi --batch 1 --samples 20 --json out.json
  toreq-hw deploy --list-targets"""


@click.command(epilog=_EPILOG)
@click.option("--target", "name", type=click.Choice(targets.names()), help="Where to deploy to.")
@click.option("--list-targets", is_flag=True, help="Say what each target is and needs, and stop.")
@click.option(
    "--network",
    "path",
    type=click.Path(path_type=Path),
    default=DEFAULT_PATH,
    show_default=True,
    help="Network file; the default one is trained first where it is absent.",
)
@data_option
@click.option("--samples", type=click.IntRange(min=1), help="Test images to run.")
@click.option("--batch", type=click.IntRange(min=1), help="Samples run at once; 1 as on a chip.")
@click.option(
    "--chip",
    default="loihi2",
    show_default=True,
    metavar="loihi1|loihi2|FILE",
    help="Chip description that the network is mapped to.",
)
@json_option
@click.option(
    "--report",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write pictures and exported files into this folder.",
)
def command(
    name: str | None,
    list_targets: bool,
    path: Path,
    data_name: str,
    samples: int | None,
    batch: int | None,
    chip: str,
    json_path: Path | None,
    report: Path | None,
) -> int:
    """Deploy a network to a target and check every state of every tick against the simulator.

    Exit status: 0 all checks held, 1 a check failed, 2 bad usage or input.
    """
    if list_targets:
        _show_targets(output)
        return 0
    if name is None:
        raise click.UsageError("--target must be given (or --list-targets)")
    target = targets.get(name)
    target.require()
    check_writable(json_path)
    network = load_or_make(path)
    chosen = _samples(network, data_name, samples or target.samples, exactly=samples is not None)
    begin = time.perf_counter()
    outcome = target.run(network, chosen, targets.Options(batch, chip, report))
    record = {
        "target": target.name,
        "passed": outcome.passed,
        "network": {"path": str(path), "sha256": network.sha256, **network.describe()},
        "data": {"name": chosen.data, "split": chosen.split, "part": "test"},
        "versions": versions(*target.packages),
        **outcome.record,
        "notes": list(outcome.notes),
        "duration_s": round(time.perf_counter() - begin, 3),
    }
    if json_path is not None:
        write_json(json_path, record)
    _show(output, target, record, outcome)
    return 0 if outcome.passed else 1


def _samples(network: Network, dataset: str, count: int, *, exactly: bool) -> targets.Samples:
    """The first `count` test images; fewer, where the set is smaller and nobody named a number."""
    loaded = data.load(dataset)
    if exactly and count > len(loaded.test):
        raise InputError(
            f"samples must be at most the {len(loaded.test)} test images of {dataset}, not {count}"
        )
    test = loaded.test.take(slice(0, count))
    inputs = data.encode(test.images, loaded.pixel_max, network.input)
    return targets.Samples(loaded.name, loaded.split, inputs, test.labels)


def _show_targets(console: Console) -> None:
    table = Table("target", "what it is", "here", "install with")
    for target in targets.all_targets():
        missing = target.missing()
        here = f"needs {', '.join(missing)}" if missing else "yes"
        table.add_row(target.name, target.description, here, target.install)
    console.print(table)


def _show(
    console: Console, target: targets.Target, record: dict[str, Any], outcome: targets.Outcome
) -> None:
    """Every scalar figure of the record, then what a person must read."""
    table = Table(f"{target.name}: {target.description}", "", title_justify="left")
    for key, value in outcome.record.items():
        if isinstance(value, bool | int | float | str):
            table.add_row(key.replace("_", " "), _text(value))
    table.add_row("duration s", _text(record["duration_s"]))
    console.print(table)
    for note in outcome.notes:
        console.print(note, highlight=False, markup=False)
    verdict = "all checks held" if outcome.passed else "A CHECK FAILED"
    console.print(f"{verdict}; network {record['network']['sha256'][:12]}", highlight=False)


def _text(value: float | str) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return value if isinstance(value, str) else json.dumps(value)

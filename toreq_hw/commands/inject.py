"""`toreq-hw inject`: damage a network many times over, say with confidence what it survives."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from toreq_hw import data, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import Files, Values, checked_command
from toreq_hw.cli.numbers import (
    MAX_JOBS,
    MAX_TRIALS,
    Levels,
    Name,
    Real,
    Trials,
    Whole,
)
from toreq_hw.cli.options import (
    check_samples,
    data_option,
    json_option,
    network_argument,
    out_folder_option,
    samples_option,
    seed_option,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.contract.limits import MAX_SWEEPS, MOST_SWEEPS
from toreq_hw.data import Spec
from toreq_hw.errors import InputError
from toreq_hw.files import together, write_json
from toreq_hw.reading import parse_json
from toreq_hw.reading.fields import shown
from toreq_hw.reports.page import write_page
from toreq_hw.reports.robustness import campaign_rows, campaigns_page
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.setting import Setting
from toreq_hw.sim.perturbation import KINDS
from toreq_hw.studies.campaign import baseline_of, baseline_path, campaign
from toreq_hw.studies.work import check_scheduler

_EPILOG = """\b
Examples:
  toreq-hw inject net.safetensors --data mnist --layer weight_bit_flip \\
      --levels 1e-5:1e-1:9 --trials auto --confidence 0.99 --margin 0.5
  toreq-hw inject net.safetensors --layer dead_neurons --levels 0:0.9:10 --out build/dead
  toreq-hw inject --list-layers"""


def _list_layers(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if not wanted:
        return
    rows = [(kind, KINDS[kind].unit, KINDS[kind].quiescence) for kind in sorted(KINDS)]
    console.output.print(console.table("layers", ("layer", "level", "quiescence"), rows))
    ctx.exit()


def _files(values: Values) -> Files:
    """The feed-forward baseline beside the network, read where it is there."""
    if not values["twin"]:
        return Files()
    baseline = baseline_path(values["network_path"], Spec.of(values["data_name"]).name)
    named = {"the feed-forward baseline": baseline}
    return Files(inputs=named) if baseline.exists() else Files(outputs=named)


@checked_command(epilog=_EPILOG, files=_files)
@network_argument
@data_option
@click.option(
    "--layer",
    "kind",
    type=Name(sorted(KINDS)),
    required=True,
    metavar="LAYER",
    help="What goes wrong; see --list-layers.",
)
@click.option(
    "--set",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="A setting of the layer, such as value=maximum or place=hidden; repeatable.",
)
@click.option("--levels", "wanted", type=Levels(), required=True, help="first:last:count or a,b,c.")
@click.option(
    "--trials",
    type=Trials(1, MAX_TRIALS),
    default="auto",
    show_default=True,
    help="A number, or auto: planned.",
)
@click.option(
    "--confidence", type=Real(0, 1, above=True, below=True), default=0.99, show_default=True
)
@click.option(
    "--margin",
    type=Real(0, 100, above=True, below=True),
    default=0.5,
    show_default=True,
    help="In points.",
)
@click.option("--most", type=Whole(2, MAX_TRIALS), default=200, help="Most trials a level.")
@samples_option()
@click.option("--max-sweeps", type=Whole(1, MOST_SWEEPS), default=MAX_SWEEPS, show_default=True)
@click.option("--jobs", type=Whole(1, MAX_JOBS), help="Processes; default one a core.")
@click.option("--scheduler", metavar="ADDRESS", help="A Dask scheduler, such as tcp://host:8786.")
@click.option(
    "--feed-forward/--no-feed-forward",
    "--twin/--no-twin",
    "twin",
    default=True,
    help="Compare with a feed-forward baseline.",
)
@click.option(
    "--work",
    "--store",
    "store",
    type=OutputFolder("*.jsonl"),
    default="build/inject",
    show_default=True,
    help="Folder for finished trials.",
)
@out_folder_option(None, "campaign.json", "index.html")
@click.option(
    "--list-layers", is_flag=True, is_eager=True, expose_value=False, callback=_list_layers
)
@seed_option
@json_option
def command(network_path: Path, json_path: Path | None, out: Path | None, **given: Any) -> int:
    """Damage a network many times; report accuracy, unchanged equilibria and cost per level.

    Beside it runs the same-size feed-forward network trained by backprop in the same weight
    format (trained once, kept beside NETWORK). An interrupted campaign goes on where it was.
    Ends with status 1 if a control fails: level 0 must change nothing, full damage end at chance.
    """
    check_scheduler(given["scheduler"])
    net = network.load(network_path)
    dataset = data.load(given["data_name"], net.encoding)
    plan = Plan(
        given["wanted"],
        given["trials"],
        given["confidence"],
        given["margin"] / 100,
        given["most"],
    )
    setting = Setting(
        network=str(network_path),
        data=dataset.source,
        samples=check_samples(given["samples"], dataset),
        kind=given["kind"],
        options=_options(given["options"]),
        seed=given["seed"],
        max_sweeps=given["max_sweeps"],
    )
    setting.check(net, plan.levels)
    data.input_states(net, dataset.test.images[:1], dataset.pixel_max)
    if given["twin"]:
        baseline = baseline_of(net, network_path, dataset, given["seed"], console.terminal)
        setting = Setting(
            **{**asdict(setting), "options": setting.options, "baseline": str(baseline)}
        )
    record = campaign(
        setting,
        plan,
        jobs=given["jobs"] or -1,
        scheduler=given["scheduler"],
        folder=given["store"],
        screen=console.terminal,
    )
    with together():
        if json_path:
            write_json(json_path, record)
        if out:
            write_json(out / "campaign.json", record)
            write_page(campaigns_page([record], "What the network survives"), out / "index.html")
    header, rows = campaign_rows(record)
    console.output.print(console.table(f"{setting.kind} on {dataset.name}", header, rows))
    return 0 if record.controls.passed else 1


def _options(texts: Sequence[str]) -> tuple[tuple[str, Any], ...]:
    """NAME=VALUE, the value read as JSON where it is, else as text."""
    options: list[tuple[str, Any]] = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name in ("level", "seed"):
            raise InputError(f"--set must be NAME=VALUE, and neither level nor seed, not {text!r}")
        if name in dict(options):
            raise InputError(f"--set must name a setting once, found {shown(name)} twice")
        try:
            options.append((name, parse_json(value, f"--set {name}", InputError)))
        except InputError:
            options.append((name, value))
    return tuple(options)

"""`toreq-hw deploy`: run a network on a target and check it against the simulator."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource
from rich.table import Table

from toreq_hw import data, targets
from toreq_hw.boards import registry
from toreq_hw.boards.choice import check_choice, chosen_board
from toreq_hw.cli import deploy_train
from toreq_hw.cli.checked import CheckedCommand, Files, Values
from toreq_hw.cli.console import messages, output, progress_bar, table
from toreq_hw.cli.default_network import DEFAULT_PATH, load_or_make
from toreq_hw.cli.figures import deployment_rows
from toreq_hw.cli.numbers import MAX_COUNT, Name, PowerOfTwo, Whole
from toreq_hw.cli.options import (
    accumulator_register_option,
    board_file_option,
    check_samples,
    data_option,
    json_option,
    samples_option,
    threshold_option,
)
from toreq_hw.cli.paths import InputFile, OutputFolder
from toreq_hw.errors import InputError
from toreq_hw.extras import install_command
from toreq_hw.file_kinds import Kind
from toreq_hw.files import together, write_json
from toreq_hw.network import Network
from toreq_hw.records import side_by_side
from toreq_hw.records.deployment import Deployment, DeploymentRun
from toreq_hw.reports.deployment import deployment_page
from toreq_hw.reports.page import Page, write_page
from toreq_hw.rtl.placement import MOST_LANES as MOST
from toreq_hw.targets.board import board_target
from toreq_hw.versions import versions

PAGE = "index.html"

_USERS: dict[str, Callable[[], tuple[str, ...]]] = {
    "batch": lambda: ("loihi",),
    "chip": lambda: ("loihi", "nengo"),
    "third_party": lambda: ("loihi",),
    "port": registry.names,
    "program": registry.names,
    "lanes": registry.names,
    "accumulator_register": registry.names,
}
"""Targets that take an option."""

_EPILOG = """\b
Examples:
  toreq-hw deploy net.safetensors --target loihi
  toreq-hw deploy --target loihi --batch 1 --samples 20 --json out.json
  toreq-hw deploy --target loihi --third-party --samples 20
  toreq-hw deploy --target icebreaker --port sim
  toreq-hw deploy --board-file my_board.toml --port sim
  toreq-hw deploy --target icebreaker --port /dev/ttyUSB1 --program build/top.bin
  toreq-hw deploy --list-targets
  toreq-hw deploy --target icebreaker --train digits --port sim --out net.safetensors
  toreq-hw deploy --train digits --help   (a board that learns)"""


def _files(values: Values) -> Files:
    """A chip description is read where it is a file."""
    chip = Path(values["chip"])
    return Files(inputs={"--chip": chip} if chip.is_file() else {})


class DeployCommand(CheckedCommand):
    """`deploy`, or with --train the training of a board, which has options of its own."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Of the command that the arguments ask for."""
        if any(word == "--train" or word.startswith("--train=") for word in args):
            training: click.Command = deploy_train.command
            return training.make_context(info_name, args, parent, **extra)
        return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Runs that command."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


@click.command(cls=DeployCommand, epilog=_EPILOG, files=_files)
@click.option("--target", "name", type=Name(targets.names()), help="Where to deploy to.")
@board_file_option("A board of your own in place of --target.")
@click.option("--list-targets", is_flag=True, help="Say what each target is and needs, and stop.")
@click.argument("network_path", metavar="[NETWORK]", required=False, type=InputFile(Kind.NETWORK))
@click.option(
    "--network",
    "named_path",
    type=InputFile(Kind.NETWORK),
    hidden=True,
    help="The same as NETWORK.",
)
@data_option
@samples_option("Only the first N test images; default: as many as the target takes well.")
@click.option(
    "--batch",
    type=Whole(1, MAX_COUNT),
    help="Samples that Lava runs at once; 1 as on a chip (loihi).",
)
@click.option(
    "--chip",
    default="loihi2",
    show_default=True,
    metavar="loihi1|loihi2|FILE",
    help="Chip description that the network is mapped to (loihi, nengo).",
)
@click.option(
    "--third-party",
    is_flag=True,
    help="Let SANA-FE's model of Loihi estimate energy and time beside ours (loihi).",
)
@click.option("--port", help="Serial port of a board, or sim for the simulated one (boards).")
@click.option(
    "--lanes",
    type=PowerOfTwo(2, MOST),
    help="Of the core on the board, as toreq-hw synth built it; default: as many as fit (boards).",
)
@accumulator_register_option
@click.option(
    "--program",
    type=InputFile(),
    metavar="BITSTREAM",
    help="Put this onto the board first; without it nothing is programmed (boards).",
)
@threshold_option
@json_option
@click.option(
    "--out",
    "--report",
    "report",
    type=OutputFolder(PAGE, "network.nir"),
    help="Write index.html, with the core map, and exported files into this folder.",
)
def command(
    name: str | None,
    board_file: Path | None,
    list_targets: bool,
    network_path: Path | None,
    named_path: Path | None,
    data_name: str,
    samples: int | None,
    threshold: int | None,
    json_path: Path | None,
    report: Path | None,
    **of_targets: Any,
) -> int:
    """Deploy a network to a target and check every state of every tick against the simulator.

    NETWORK: build/sim/network.safetensors unless named, which is trained first where it is absent.
    With --train DATA a board learns; `toreq-hw deploy --train DATA --help` lists those options.
    Exit status: 0 all checks held, 1 a check failed, 2 bad usage or input.
    """
    if list_targets:
        _show_targets(json_path)
        return 0
    if named_path and network_path:
        raise InputError("--network must be left out where NETWORK is given")
    target = _target(name, board_file, threshold)
    path = named_path or network_path or DEFAULT_PATH
    network = load_or_make(path)
    chosen = _samples(network, data_name, samples or target.samples, exactly=samples is not None)
    with _watch_run(f"{len(chosen)} samples on {target.name}") as watch:
        options = targets.Options(report=report, threshold=threshold, watch=watch, **of_targets)
        deployed = targets.deploy(network, chosen, target, options, path=str(path))
    _publish(deployed, json_path, report)
    return 0 if deployed.passed else 1


def _target(name: str | None, board_file: Path | None, threshold: int | None) -> targets.Target:
    """The target called `name`, or a board file's, where it takes the options given and can run."""
    check_choice(name, board_file, "--target")
    target = targets.get(name) if name else board_target(chosen_board(None, board_file))
    _refuse_unused(target, of_boards=board_file is not None)
    return targets.able_target(target, threshold)


def _refuse_unused(target: targets.Target, *, of_boards: bool) -> None:
    """Raises InputError for an option of other targets, which would be passed over in silence."""
    context = click.get_current_context()
    for parameter, users in _USERS.items():
        given = context.get_parameter_source(parameter) is ParameterSource.COMMANDLINE
        is_user = target.name in users() or (of_boards and users is registry.names)
        if given and not is_user:
            raise InputError(
                f"--{parameter.replace('_', '-')} must go with {_of(users())}, "
                f"not with {target.name}"
            )


def _of(users: tuple[str, ...]) -> str:
    return f"one of {', '.join(users)}" if len(users) > 1 else users[0]


@contextmanager
def _watch_run(title: str) -> Iterator[targets.Watch]:
    """A bar in a terminal, of what the target says is done; elsewhere lines, as work of unknown
    length begins and while other work takes longer.
    """
    bar = progress_bar()
    task = bar.add_task(title, total=None, note="")

    def watch(what: str, done: int, total: int) -> None:
        bar.update(task, description=f"{title}: {what}", completed=done, total=total or None)
        if not total and not messages.is_terminal:
            messages.print(f"{title}: {what} ...")

    with bar if messages.is_terminal else nullcontext():
        yield watch


def _samples(network: Network, dataset: str, count: int, *, exactly: bool) -> targets.Samples:
    """The first `count` test images; fewer, where the set is smaller and nobody named a number."""
    loaded = data.load(dataset, network.encoding)
    if exactly:
        check_samples(count, loaded)
    return targets.samples_of(network, loaded, count)


def _show_targets(json_path: Path | None) -> None:
    """The table of targets, and the same as JSON where it was asked for."""
    if json_path is not None:
        write_json(json_path, {"targets": targets.statuses(), "versions": versions()})
    header = ("target", "what it is", "status", "last version tried", "here", "install with")
    listed = Table(*header)
    for target in targets.all_targets():
        missing = target.missing()
        here = f"needs {', '.join(missing)}" if missing else "yes"
        install = install_command(target.extra) if target.extra else ""
        status, tried = target.standing.value, ", ".join(target.tried)
        listed.add_row(target.name, target.description, status, tried, here, install)
    output.print(listed)


def _publish(deployed: targets.Deployed, json_path: Path | None, report: Path | None) -> None:
    """Writes the record and the page that were asked for, and prints what a person reads."""
    ran = deployed.run
    record = side_by_side(ran, deployed.outcome.record)
    rows = deployment_rows(record)
    with together():
        if json_path is not None:
            write_json(json_path, record)
        if report is not None:
            write_page(_page(deployed, rows), report / PAGE)
    _show(deployed.target, ran, rows)


def _page(deployed: targets.Deployed, rows: Sequence[tuple[str, str]]) -> Page:
    """The report of a deployment."""
    target, outcome = deployed.target, deployed.outcome
    shown = Deployment(
        split=deployed.run.data.split,
        passed=outcome.passed,
        notes=tuple(note for note in outcome.notes if note not in outcome.drawn),
        versions=deployed.run.versions,
        chip=outcome.chip,
        targets=targets.statuses(),
    )
    title = f"Deployed to {target.name}"
    return deployment_page(title, shown, rows, deployed.run.network.sha256)


def _show(target: targets.Target, ran: DeploymentRun, rows: Sequence[tuple[str, str]]) -> None:
    """The figures, what a person must read with them, and the verdict."""
    title = f"{target.name}: {target.description}"
    output.print(table(title, ("figure", "value"), rows))
    for note in ran.notes:
        output.print(note)
    verdict = "all checks held" if ran.passed else "A CHECK FAILED"
    output.print(f"{verdict}; network {ran.network.sha256[:12]}")

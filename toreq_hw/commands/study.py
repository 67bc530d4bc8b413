"""`toreq-hw study`: every study there is, run by its name, with its ledger, page and verdict."""

from pathlib import Path
from typing import Any

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import CheckedCommand
from toreq_hw.cli.options import (
    jobs_option,
    json_option,
    out_folder_option,
    scheduler_option,
    work_option,
)
from toreq_hw.cli.paths import OutputFolder
from toreq_hw.cli.study_records import write_study
from toreq_hw.files import together
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.studies.index import index_page
from toreq_hw.studies.study import Place, Study, find
from toreq_hw.suggestions import none_of

INDEX = ("studies.md", "studies.html")


class Studies(click.Group):
    """A subcommand for each study; one that has its own command is that command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Ids, in alphabetical order."""
        return list(find())

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """None for an unknown id."""
        study = find().get(name)
        if study is None:
            return None
        root = ctx.find_root().command
        if study.command and isinstance(root, click.Group):
            return root.get_command(ctx, study.command)
        return _command(study)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown name is answered with all, and with the nearest."""
        name, known = args[0], list(find())
        if name not in known and not name.startswith("-"):
            ctx.fail(none_of("study", name, known))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of studies."""
        with formatter.section("Studies"):
            formatter.write_dl([(study.id, study.claim) for study in find().values()])


def _command(study: Study[Any]) -> click.Command:
    """What runs a study that has no command of its own."""

    def run(work: Path, out: Path, jobs: int, scheduler: str | None, json_path: Path | None) -> int:
        record = study.run(None, Place(work, jobs, scheduler, console.terminal))
        return write_study(study, record, out, json_path)

    folder = f"build/{study.id}"
    names = tuple(f"{study.id}.{kind}" for kind in ("json", "md", "html"))
    command = CheckedCommand(
        study.id,
        callback=run,
        help=f"{study.claim}\n\nSet-up: {study.setup}\n\nControl: {study.control}",
    )
    given = (work_option(folder), out_folder_option(folder, *names), jobs_option, scheduler_option)
    for option in (json_option, *reversed(given)):
        option(command)
    return command


def _index(ctx: click.Context, _: click.Parameter, folder: Path | None) -> None:
    if folder is None:
        return
    page = index_page(find().values(), folder)
    with together():
        write_markdown(page, folder / INDEX[0])
        write_page(page, folder / INDEX[1])
    console.output.print(f"wrote {folder}/{INDEX[0]} and .html")
    ctx.exit()


@click.group(cls=Studies, epilog="Example: toreq-hw study lazy net.safetensors --lanes 16")
@click.option(
    "--index",
    type=OutputFolder(*INDEX),
    is_eager=True,
    expose_value=False,
    callback=_index,
    metavar="FOLDER",
    help="Write the index of all studies beside their records in FOLDER, and stop.",
)
def command() -> None:
    """Run a study: what it claims is held against its control, and its finished runs are kept."""

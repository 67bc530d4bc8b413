"""`toreq-hw search`: which network and which core for a board and its limits."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from toreq_hw.boards import registry
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import MAX_SEEDS, Names, Whole
from toreq_hw.cli.options import (
    DataName,
    jobs_option,
    json_option,
    out_folder_option,
    scheduler_option,
    work_option,
)
from toreq_hw.cli.paths import InputFile, OutputFile
from toreq_hw.cli.search_file import read_search
from toreq_hw.cli.study_records import earlier_record, write_study
from toreq_hw.errors import InputError
from toreq_hw.reading.fields import shown
from toreq_hw.records.search import Objective, Search, Searches
from toreq_hw.reports.search import front_table
from toreq_hw.studies.search import (
    MOST_POINTS,
    PUBLISHED_POINTS,
    STUDY,
    Budget,
    Options,
    needs_search,
    published_options,
)
from toreq_hw.studies.searching.asked import Asked, problem_of
from toreq_hw.studies.searching.metrics import METRICS, objective
from toreq_hw.studies.study import Place

_EPILOG = """\b
Examples:
  toreq-hw search --data mnist --board icebreaker --require "accuracy>=0.98" \\
      --require "p95_us<=200" --minimise cells --budget 2h
  toreq-hw search --data digits --board ulx3s_85f --minimise cells,p95_us --budget 40 \\
      --choose lanes=4,8,16 --choose hidden=32,64-32
  toreq-hw search --file mine.toml --budget 12h --jobs 8
  toreq-hw search --published --jobs 2 --out reports/published"""

_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_BUDGET = re.compile(r"\s*(\d{1,9}(?:\.\d{1,6})?)\s*(s|m|min|h|points?|trials?)?\s*")
_LEAST_POINTS = 1
_USUAL_POINTS = 40


def budget_of(text: str) -> Budget:
    """What --budget says: a time such as 2h, or a number of points. Raises InputError."""
    found = _BUDGET.fullmatch(text)
    if found and found[2] in _UNITS:
        return Budget(seconds=float(found[1]) * _UNITS[found[2]])
    if found and "." not in found[1] and _LEAST_POINTS <= int(found[1]) <= MOST_POINTS:
        return Budget(points=int(found[1]))
    raise InputError(
        f"--budget must be a time such as 90s, 30m or 2h, or a number of points in "
        f"{_LEAST_POINTS}..{MOST_POINTS}, found {shown(text)}"
    )


@checked_command(epilog=_EPILOG)
@click.option("--data", "data_name", type=DataName(), help="Data set.  [default: digits]")
@click.option("--board", "boards", type=Names(registry.names()), help="One or several.")
@click.option(
    "--require",
    multiple=True,
    metavar="METRIC>=VALUE",
    help="What points must keep, also METRIC<=VALUE; repeatable.",
)
@click.option("--minimise", type=Names(METRICS), help="Metrics that are to be small.")
@click.option("--maximise", type=Names(METRICS), help="Metrics that are to be large.")
@click.option(
    "--choose",
    multiple=True,
    metavar="NAME=VALUE[,VALUE..]",
    help="Choices of a dimension of the space in place of the usual ones; repeatable.",
)
@click.option(
    "--damage", metavar="LAYER:LEVEL", help="For damaged_accuracy, such as dead_neurons:0.1."
)
@click.option(
    "--file", "file", type=InputFile(), help="All of this and more in TOML (docs/search.md)."
)
@click.option(
    "--budget",
    metavar="TIME|POINTS",
    help="For each search; with a time up to 100,000 points.  [default: 40, --published 64]",
)
@click.option("--no-place", is_flag=True, help="Leave place and route out, unless a metric asks.")
@click.option("--place-seeds", type=Whole(1, MAX_SEEDS), help="Of place and route.  [default: 3]")
@click.option(
    "--seed", type=Whole(0, (1 << 32) - 1), help="Of the points that are asked for.  [default: 1]"
)
@click.option("--store", type=OutputFile(), help="Points of this search; default: in --work.")
@click.option("--published", is_flag=True, help="The searches whose page is published.")
@click.option(
    "--only",
    help="With --published: those whose name contains this text; the others are taken from the "
    "record in --out where they are still the same.",
)
@work_option("build/search")
@jobs_option
@scheduler_option
@out_folder_option("build/search", "search.json", "search.md", "search.html")
@json_option
def command(
    budget: str | None,
    published: bool,
    only: str | None,
    store: Path | None,
    work: Path,
    jobs: int,
    scheduler: str | None,
    out: Path,
    json_path: Path | None,
    **asked: object,
) -> int:
    """Search for networks and cores by training, timing and building them.

    Points climb rungs: fit, short training, exact cycles, whole training, Yosys, nextpnr, damage.
    Interrupted, it goes on where it stopped. Ends with status 1 where no point keeps every
    requirement.
    """
    needs_search()
    spent = budget_of(budget or f"{PUBLISHED_POINTS if published else _USUAL_POINTS}")
    if published:
        _refuse_more(asked, store)
        earlier = earlier_record(out / "search.json", Searches) if only else None
        options = replace(published_options(spent, only, earlier), interrupted=_show)
    else:
        if only is not None:
            raise InputError("--only must go with --published")
        problem = problem_of(_asked(asked))
        options = Options((problem,), spent, store, interrupted=_show)
    record = STUDY.run(options, Place(work, jobs, scheduler, console.terminal))
    for search in record.searches:
        _show(search)
    return write_study(STUDY, record, out, json_path)


def _asked(given: dict[str, object]) -> Asked:
    """What the file says, with what the command line says in its place."""
    found = read_search(given["file"]) if isinstance(given["file"], Path) else {}
    names = {"data": "data_name", "board": "boards", "seed": "seed", "damage": "damage"}
    for name, option in names.items():
        if given[option] is not None:
            found[name] = given[option]
    for name in ("require", "minimise", "maximise"):
        if given[name]:
            found[name] = given[name]
    rungs = dict(_mapping(found.get("rungs")))
    if given["no_place"]:
        rungs["place"] = False
    if given["place_seeds"] is not None:
        rungs["place_seeds"] = given["place_seeds"]
    choices = dict(_mapping(found.get("choices"))) | _choices(_list(given["choose"]))
    if not found.get("board"):
        raise InputError("--board must be given, here or in --file")
    return Asked(
        data=str(found.get("data", "digits")),
        boards=_list(found["board"]),
        objectives=_objectives(_list(found.get("minimise")), _list(found.get("maximise"))),
        requirements=_list(found.get("require")),
        choices={name: _list(texts) for name, texts in choices.items()},
        rungs=rungs,
        damage=None if found.get("damage") is None else str(found["damage"]),
        sampler=str(found.get("sampler", "nsga2")),
        batch=_number(found.get("batch"), 16),
        seed=_number(found.get("seed"), 1),
        train_seed=_number(found.get("train_seed"), 1),
    )


def _number(value: object, usual: int) -> int:
    return value if isinstance(value, int) else usual


def _list(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, tuple) else ()


def _mapping(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _choices(given: Sequence[str]) -> dict[str, object]:
    """Choices of --choose. Raises InputError."""
    found: dict[str, object] = {}
    for text in given:
        name, separator, values = text.partition("=")
        if not separator or not values:
            raise InputError(f"--choose must be NAME=VALUE[,VALUE..], found {shown(text)}")
        if name in found:
            raise InputError(f"--choose must name each dimension once, found {shown(name)} twice")
        found[name] = tuple(values.split(","))
    return found


def _objectives(least: Sequence[str], most: Sequence[str]) -> tuple[Objective, ...]:
    return (
        *(objective(name, maximise=False) for name in least),
        *(objective(name, maximise=True) for name in most),
    )


def _refuse_more(asked: dict[str, object], store: Path | None) -> None:
    """Raises InputError for what cannot go with --published."""
    for name, value in {**asked, "store": store}.items():
        if value:
            option = {"data_name": "data", "boards": "board"}.get(name, name).replace("_", "-")
            raise InputError(f"--{option} must be left out with --published")


def _show(search: Search) -> None:
    """The front as a table, the recommended point and what makes it again."""
    table = front_table(search)
    rows = [list(row) for row in table.rows]
    console.output.print(console.table(f"front of {search.name}", list(table.header), rows))
    if search.pick is None:
        console.output.print(f"no point is recommended: {search.reason}")
        return
    console.output.print(f"recommended: point {search.pick}, {search.reason}")
    for one in search.front:
        console.output.print(f"point {one.number}:")
        for line in one.commands:
            console.output.print(f"  {line}")

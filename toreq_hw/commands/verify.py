"""`toreq-hw verify` (`make verify`): every published claim, judged on real data with a control."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import click

from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import MAX_SEEDS, Names, Whole
from toreq_hw.cli.options import (
    jobs_option,
    json_option,
    out_folder_option,
    scheduler_option,
    work_option,
)
from toreq_hw.cli.study_records import earlier_record, write_study
from toreq_hw.errors import InputError
from toreq_hw.records.verification import Verification
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks.claims import CLAIMS
from toreq_hw.studies.tracks.track import QUICK, Settings, Track, chosen, find
from toreq_hw.studies.verification import STUDY, Options, kept

PUBLISHED = ("reports", "published")

RECORD = "verification.json"

DATA = ("digits", "mnist", "fashion-mnist")
"""Tracks take some of them; records that are taken in have their own."""


@checked_command(epilog="Example: toreq-hw verify --track 3 29 --seeds 2 --out build/verification")
@click.option(
    "--list", "listing", is_flag=True, help="List tracks and their last verdicts in --out."
)
@click.option("--track", "first", multiple=True, metavar="ID", help="Run these tracks: 3 6 12.")
@click.argument("more", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="Run every track.")
@click.option(
    "--judge-only", is_flag=True, help="Judge the results in --out again, and measure nothing."
)
@click.option("--quick", is_flag=True, help="Digits, one seed, small nets: for checks only.")
@click.option("--data", type=Names(DATA), help="Only these data sets; default digits,mnist.")
@click.option("--seeds", type=Whole(1, MAX_SEEDS), help="Of each case; default 5, quick 1.")
@jobs_option
@scheduler_option
@work_option("build/verification")
@out_folder_option("build/verification", RECORD, "verification.md", "verification.html")
@json_option
def command(
    listing: bool,
    first: tuple[str, ...],
    more: tuple[str, ...],
    everything: bool,
    judge_only: bool,
    quick: bool,
    data: tuple[str, ...] | None,
    seeds: int | None,
    jobs: int,
    scheduler: str | None,
    work: Path,
    out: Path,
    json_path: Path | None,
) -> int:
    """Judge published claims on real data, each beside a control that could refute it.

    Interrupted, it goes on where it stopped. Tracks that are not run are taken from the record in
    --out. Ends with status 1 where a control did not behave as it must.
    """
    if more and not first:
        raise InputError(f"tracks must follow --track, found {more[0][:40]!r} alone")
    if listing:
        if first or everything or quick or judge_only or data:
            raise InputError("--list must be given without other options but --out")
        return _list(earlier_record(out / RECORD, Verification))
    if judge_only:
        if first or everything or quick or data or seeds:
            raise InputError("--judge-only must be given without tracks, --quick, --data, --seeds")
        record = STUDY.run(_again(out), Place(work, jobs, scheduler, console.terminal))
        return write_study(STUDY, record, out, json_path)
    tracks = _tracks((*first, *more), everything or (quick and not first))
    if quick and out.resolve().parts[-2:] == PUBLISHED:
        raise InputError(f"--out must be no folder of published records with --quick, not {out}")
    usual = QUICK if quick else Settings()
    options = kept(earlier_record(out / RECORD, Verification), tracks, quick=quick)
    settings = replace(usual, seeds=seeds or usual.seeds, data=data or usual.data)
    options = replace(options, settings=settings)
    record = STUDY.run(options, Place(work, jobs, scheduler, console.terminal))
    return write_study(STUDY, record, out, json_path)


def _again(out: Path) -> Options:
    """Options that measure nothing. Raises InputError where there is no record."""
    record = earlier_record(out / RECORD, Verification)
    if record is None:
        raise InputError(f"{out / RECORD} must be there for --judge-only, found none")
    return replace(kept(record, (), quick=record.quick), settings=Settings(quick=record.quick))


def _tracks(ids: Sequence[str], everything: bool) -> tuple[Track, ...]:
    if ids and everything:
        raise InputError("--track must be given without --all")
    if not ids and not everything:
        raise InputError(
            "tracks must be named: use --track ID, --all, --quick, --judge-only or --list"
        )
    return chosen(ids) if ids else find()


def _list(record: Verification | None) -> int:
    """A table of all tracks, and what the record in --out says of each."""
    results = {result.ids: result for result in record.results} if record else {}
    here = {track.ids: track for track in find()}
    rows = []
    for ids, claim in CLAIMS.items():
        status = "not run" if ids in here else "no study yet"
        if ids in results:
            quick = " (quick)" if record and record.quick else ""
            status = f"{results[ids].outcome}{quick}, {results[ids].seeds} seeds"
        rows.append([", ".join(ids), claim, status])
    console.output.print(console.table("Tracks", ["track", "claim as published", "status"], rows))
    return 0

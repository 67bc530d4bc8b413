"""Every claim of the research prototype, measured on real data beside a control, and judged."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from toreq_hw.errors import InputError, ToreqError
from toreq_hw.records.verification import NotRun, TrackResult, Verification
from toreq_hw.reports.verification import lead, verification_page
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.tracks.claims import CLAIMS
from toreq_hw.studies.tracks.track import QUICK, Settings, Track, find
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions


@dataclass(frozen=True)
class Options:
    """tracks: what is run; None for all there are. kept: results of an earlier record.

    Of a kept result the verdict is that of today's thresholds; it is left out where its track has
    other rows today.
    """

    tracks: tuple[Track, ...] | None = None
    settings: Settings = field(default_factory=Settings)
    kept: tuple[TrackResult, ...] = ()


def run(options: Options | None, place: Place) -> Verification:
    """Measures what the ledger does not hold, and judges all.

    A track that cannot be measured keeps its earlier result, and the record says why. Raises what
    the first of them raised where none could be measured.
    """
    options = options or Options()
    tracks = find() if options.tracks is None else options.tracks
    found = {}
    for result in options.kept:
        try:
            found[result.ids] = _judged_again(result)
        except (LookupError, ValueError):
            number = ", ".join(result.ids)
            place.screen.say(f"track {number} has other rows today: its result is left out")
    failed: dict[str, ToreqError] = {}
    with workers(place.jobs, place.scheduler):
        for track in tracks:
            number = ", ".join(track.ids)
            place.screen.say(f"track {number}: {track.claim}")
            try:
                found[track.ids] = _result(track, options.settings, place)
            except ToreqError as error:
                failed[number] = error
                place.screen.say(f"track {number} could not be measured: {error}")
                continue
            place.screen.say(f"{found[track.ids].outcome}: {found[track.ids].sentence}")
    if failed and len(failed) == len(tracks):
        raise next(iter(failed.values()))
    return Verification(
        quick=options.settings.quick,
        results=tuple(found[ids] for ids in CLAIMS if ids in found),
        not_run=tuple(NotRun(ids, CLAIMS[ids]) for ids in CLAIMS if ids not in found),
        versions=versions("torch"),
        failed=tuple(f"track {number}: {error}" for number, error in failed.items()),
    )


def _result(track: Track, settings: Settings, place: Place) -> TrackResult:
    measured = track.measure(settings, place)
    judged = track.judge(measured.rows)
    how = "--quick" if settings.quick else f"--seeds {settings.seeds}"
    usual = QUICK if settings.quick else Settings()
    own = dict.fromkeys(row.data for row in measured.rows)
    if settings.data != usual.data and set(own) & set(settings.data):
        how += f" --data {','.join(settings.data)}"
    elif settings.data != usual.data:
        place.screen.say(f"{track.name} measures {', '.join(own)}, whatever --data says")
    return TrackResult(
        ids=track.ids,
        name=track.name,
        claim=track.claim,
        setup=track.setup,
        control=track.control,
        thresholds=track.thresholds,
        sources=track.sources,
        outcome=judged.outcome,
        sentence=judged.sentence,
        favours=judged.favours,
        controlled=judged.controlled,
        seeds=max(len(row.values) for row in measured.rows),
        rows=measured.rows,
        picture=track.picture,
        seconds=measured.seconds,
        command=f"toreq-hw verify --track {track.ids[0]} {how}",
        code=track.code,
        better=track.better,
        drawings=track.show(settings, place) if track.show else (),
    )


def _judged_again(result: TrackResult) -> TrackResult:
    """An earlier result with the thresholds and the verdict of its track as it is now. What was set
    up and controlled stays as it was measured.

    Raises LookupError or ValueError for rows that the track no longer has.
    """
    track = next((one for one in find() if one.ids == result.ids), None)
    if track is None:
        return result
    judged = track.judge(result.rows)
    return replace(
        result,
        claim=track.claim,
        thresholds=track.thresholds,
        better=track.better,
        seeds=max(len(row.values) for row in result.rows),
        outcome=judged.outcome,
        sentence=judged.sentence,
        favours=judged.favours,
        controlled=judged.controlled,
        picture=track.picture,
    )


def kept(earlier: Verification | None, tracks: Sequence[Track], *, quick: bool) -> Options:
    """Options that run `tracks` and keep the results of an earlier record that are not replaced.

    A quick record is left out beside a full run. Raises InputError where a quick run would replace
    a full record.
    """
    if earlier is None:
        return Options(tuple(tracks))
    if quick and not earlier.quick:
        raise InputError(
            "--out must hold no full record for --quick, found one; use another folder"
        )
    return Options(tuple(tracks), kept=earlier.results if quick == earlier.quick else ())


def verdict(record: Verification) -> Verdict:
    """Passed where all was measured and every control behaved as it must.

    A refuted claim is a finding, no failure.
    """
    return Verdict(record.controlled and not record.failed, lead(record))


STUDY = Study(
    id="verification",
    claim="Each published claim of the research prototype holds on real data.",
    setup="One track a claim, on real data sets over seeds; test sets choose nothing.",
    control="Each track has a control that could refute it, and a variant that is broken.",
    record=Verification,
    run=run,
    verdict=verdict,
    page=verification_page,
    command="verify",
)

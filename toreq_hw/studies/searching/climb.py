"""A batch of points goes up the rungs: each leaves fewer of them for the next, dearer one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from toreq_hw.records.search import Choices, Figures, SearchPoint
from toreq_hw.studies.ledger import Run
from toreq_hw.studies.searching import ranking
from toreq_hw.studies.searching.bounds import Fit, fit, with_times
from toreq_hw.studies.searching.kept import Kept
from toreq_hw.studies.searching.metrics import METRICS, TIMES, Requirement, figure
from toreq_hw.studies.searching.problem import Problem
from toreq_hw.studies.searching.shapes import core_run, network_run, whole_run

OUTRANKED = "others of its batch were better"
UNFIT = "no such core, or it does not fit"
TOOL = "a tool failed"
CLOCK = "clock missed"

_NOTHING = Figures()
_NO_FIT = Fit("")


@dataclass
class Candidate:
    """A point on its way. missed: by how much it misses what, 0 or less where it is kept."""

    number: int
    choices: Choices
    figures: Figures = _NOTHING
    rung: str = ""
    cut: str = ""
    reason: str = ""
    missed: dict[str, float] = field(default_factory=dict)
    fit: Fit = _NO_FIT
    sha256: str = ""
    flip_flops: int = 0

    def stop(self, reason: str, said: str = "", missed: float = 1.0) -> None:
        """It goes no further. reason: one of a few; said: in full."""
        self.cut = said or reason
        self.reason = reason
        if missed:
            self.missed[reason] = missed

    @property
    def point(self) -> SearchPoint:
        """As the record has it."""
        return SearchPoint(
            number=self.number,
            choices=self.choices,
            rung=self.rung,
            cut=self.cut,
            figures=self.figures,
            network_sha256=self.sha256,
        )


class Climb:
    """Takes batches of one search up. kept: gives what was done before, and does the rest."""

    def __init__(self, problem: Problem, kept: Kept) -> None:
        self._problem = problem
        self._kept = kept

    def __call__(self, points: Sequence[tuple[int, Choices]]) -> list[Candidate]:
        """The points as they end, in their order. Raises OutOfTimeError, and what stages raise."""
        batch = [Candidate(number, choices) for number, choices in points]
        rungs: dict[str, Callable[[list[Candidate]], None]] = {
            "fit": self._fit,
            "short": self._short,
            "cycles": self._cycles,
            "full": self._full,
            "synthesis": self._synthesis,
            "place": self._place,
            "damage": self._damage,
        }
        for name in self._problem.path:
            self._kept.check_time()
            going = [one for one in batch if not one.cut]
            going = self._outranked(name, going)
            if going:
                rungs[name](going)
            for one in going:
                one.rung = one.rung if one.cut else name
        return batch

    def _outranked(self, rung: str, going: list[Candidate]) -> list[Candidate]:
        """Those that go on to a dear rung: the best part of them."""
        parts = dict(zip(("full", "synthesis", "place"), self._problem.rungs.keep, strict=True))
        count = ceil(parts.get(rung, 1.0) * len(going))
        chosen = ranking.best([self._guess(one) for one in going], count)
        for place, one in enumerate(going):
            if place not in chosen:
                one.stop(OUTRANKED, missed=0.0)
        return [going[place] for place in chosen]

    def _guess(self, one: Candidate) -> list[float]:
        """Of each objective, all to be small: the figure, or what stands for it before it is known.

        Only points that are compared with each other at the same rung have the same stand-ins.
        """
        width, cycles = float(one.fit.width), one.figures.cycles_p50 or 0.0
        usual = {
            "cells": width,
            "energy_uj": width * cycles,
            "fmax_mhz": 0.0,
            "training_us": cycles,
            "damaged_accuracy": one.figures.accuracy or 0.0,
        }
        found = []
        for objective in self._problem.objectives:
            known = figure(one.figures, objective.metric)
            value = usual.get(objective.metric, 0.0) if known is None else known
            found.append(-value if objective.maximise else value)
        return found

    def _require(
        self, one: Candidate, rung: str, eased: Callable[[Requirement], Requirement] = lambda r: r
    ) -> None:
        """Stops a point that misses a requirement on figures that are known by now."""
        for asked in self._problem.requirements:
            missed = eased(asked).violation(one.figures)
            if missed > 0 and not one.cut:
                one.rung = rung
                one.stop(str(asked), missed=asked.violation(one.figures))

    def _eased(self, asked: Requirement) -> Requirement:
        """What a short training must keep."""
        rungs = self._problem.rungs
        if asked.metric == "accuracy":
            return replace(asked, value=asked.value - rungs.accuracy_slack)
        return asked.eased(rungs.cycle_slack) if asked.metric in TIMES else asked

    def _fit(self, going: list[Candidate]) -> None:
        for one in going:
            one.fit = fit(self._problem.data, one.choices)
            if one.fit.refused:
                one.stop(UNFIT, one.fit.refused)
                continue
            one.figures = one.fit.figures
            for asked in self._problem.requirements:
                metric = METRICS[asked.metric]
                missed = asked.violation(one.fit.least)
                if asked.at_least == metric.larger and missed > 0 and not one.cut:
                    one.stop(str(asked), f"{asked}: a bound shows it", missed)

    def _short(self, going: list[Candidate]) -> None:
        self._train(going, self._problem.rungs.short_epochs)
        for one in going:
            self._require(one, "short", self._eased)

    def _cycles(self, going: list[Candidate]) -> None:
        self._time(going, self._problem.rungs.short_epochs)
        for one in going:
            self._require(one, "cycles", self._eased)

    def _full(self, going: list[Candidate]) -> None:
        epochs = self._problem.rungs.epochs
        self._train(going, epochs)
        self._time(going, epochs)
        if self._problem.asks("training_us"):
            rows = self._kept.rows("learning", [whole_run(one.choices, epochs) for one in going])
            for one, row in zip(going, rows, strict=True):
                us = 1e6 * row.value / one.fit.clock_hz
                one.figures = replace(one.figures, training_us=us)
        for one in going:
            self._require(one, "full")

    def _train(self, going: list[Candidate], epochs: int) -> None:
        runs = [network_run(one.choices, epochs) for one in going]
        for one, row in zip(going, self._kept.rows("training", runs), strict=True):
            one.figures = replace(one.figures, accuracy=row.accuracy)
            one.sha256 = row.network_sha256

    def _time(self, going: list[Candidate], epochs: int) -> None:
        runs = [core_run(one.choices, epochs) for one in going]
        for one, row in zip(going, self._kept.rows("cycles", runs), strict=True):
            cycles = (row.cycles_p50, row.cycles_p95, row.cycles_mean)
            one.figures = with_times(one.figures, cycles, one.fit.clock_hz)

    def _synthesis(self, going: list[Candidate]) -> None:
        runs = [whole_run(one.choices, self._problem.rungs.epochs) for one in going]
        for one, row in zip(going, self._kept.rows("synthesis", runs), strict=True):
            if row.error:
                one.stop(TOOL, row.error)
                continue
            one.flip_flops = row.ff
            one.figures = replace(
                one.figures, cells=float(row.cells), block_ram=float(row.block_ram)
            )
        left = [one for one in going if not one.cut]
        if self._problem.asks("energy_uj"):
            self._energy(left)
        for one in left:
            self._require(one, "synthesis")

    def _energy(self, going: list[Candidate]) -> None:
        runs: list[Run] = [
            {
                **whole_run(one.choices, self._problem.rungs.epochs),
                "flip_flops": one.flip_flops,
                "clock_hz": one.fit.clock_hz,
            }
            for one in going
        ]
        for one, row in zip(going, self._kept.rows("energy", runs), strict=True):
            if row.error:
                one.stop(TOOL, row.error)
            else:
                one.figures = replace(one.figures, energy_uj=row.value)

    def _place(self, going: list[Candidate]) -> None:
        runs = [whole_run(one.choices, self._problem.rungs.epochs) for one in going]
        for one, row in zip(going, self._kept.rows("place", runs), strict=True):
            if row.error:
                one.stop(TOOL, row.error)
                continue
            fastest = max(row.fmax)
            one.figures = replace(
                one.figures,
                cells=float(row.cells),
                block_ram=float(row.block_ram),
                fmax_mhz=fastest,
            )
            if not row.met:
                asked = one.fit.clock_hz / 1e6
                one.rung = "place"
                said = f"clock missed: {fastest:.1f} of {asked:.1f} MHz"
                one.stop(CLOCK, said, (asked - fastest) / asked)
            self._require(one, "place")

    def _damage(self, going: list[Candidate]) -> None:
        runs = [network_run(one.choices, self._problem.rungs.epochs) for one in going]
        for one, row in zip(going, self._kept.rows("damage", runs), strict=True):
            one.figures = replace(one.figures, damaged_accuracy=row.value)
            self._require(one, "damage")

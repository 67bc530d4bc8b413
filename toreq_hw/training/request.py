"""What a training was asked for, what it says while it runs, and what comes out of it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from toreq_hw.data import Dataset, is_in_memory, load, of_arrays
from toreq_hw.errors import InputError
from toreq_hw.network import FeedbackKind, Network, Schedule, WeightFormat
from toreq_hw.network.readout import readout_named
from toreq_hw.suggestions import none_of
from toreq_hw.training.ends import check_ends
from toreq_hw.training.reports import EpochReport


@dataclass(frozen=True, eq=False)
class Trained:
    """A finished training. recipe: its settings, in words. split: which samples are which.

    accuracy: of the network's free phase in the simulator, on the test samples, 0..1.
    differing: test samples on which the trainer's own states are not the simulator's. None where
    that is not asked: the integer engine is the simulator, backpropagation has no free phase.
    """

    engine: str
    network: Network
    recipe: str
    data: str
    split: str
    history: tuple[EpochReport, ...]
    accuracy: float
    differing: int | None
    seconds: float


@dataclass(frozen=True, eq=False)
class Request:
    """What `train` was asked for."""

    dataset: Any
    test: Any
    blank: Network | None
    start: Network | None
    seed: int
    settings: dict[str, Any]

    def check_settings(self, known: Sequence[str], engine: str) -> None:
        """Raises InputError for a setting that the engine does not have."""
        for name in self.settings:
            if name not in known:
                raise InputError(none_of(f"a setting of engine {engine}", name, known))

    def loaded(self, engine: str) -> Dataset:
        """The data set, whose ends the given network has. Raises InputError, DataError."""
        known = self.start or self.blank
        found = self.dataset
        if isinstance(found, str):
            found = load(found, known.encoding if known else None)
        elif is_in_memory(found):
            found = of_arrays(found, known.encoding if known else None)
        if not isinstance(found, Dataset) or self.test is not None:
            what = (
                "a Dataset, the name of one, (features, targets), or those of training and then "
                "of test samples, with test left out"
            )
            raise InputError(f"dataset must be {what}, found {type(self.dataset).__name__}")
        if known is not None:
            check_ends(known, "network", found)
        return found


@dataclass(frozen=True)
class Voice:
    """Prints what `verbose` asks for."""

    verbose: int

    def recipe(self, text: str) -> None:
        """The settings, before the first sample."""
        if self.verbose >= 1:
            print(f"recipe: {text}")  # noqa: T201 - verbose asks for it

    def epoch(self, report: EpochReport) -> None:
        """An epoch."""
        if self.verbose >= 2:
            tests = report.test_accuracy
            shown = "" if tests is None else f", {100 * tests:.2f} % of test samples"
            print(  # noqa: T201 - verbose asks for it
                f"epoch {report.epoch} of {report.epochs}: {100 * report.accuracy:.2f} % of "
                f"training samples{shown}"
            )


def typed(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings with words made members of their enumerations, and lists tuples.

    Raises InputError for a word that is none of them.
    """
    found = dict(settings)
    kinds: dict[str, type[Enum]] = {
        "weights": WeightFormat,
        "schedule": Schedule,
        "feedback": FeedbackKind,
    }
    for name, kind in kinds.items():
        if isinstance(found.get(name), str):
            known = [one.value for one in kind]
            if found[name] not in known:
                raise InputError(none_of(name, found[name], known))
            found[name] = kind(found[name])
    if "readout" in found:
        found["readout"] = readout_named(found["readout"])
    for name in ("hidden", "fraction_bits", "feedback_shifts"):
        if isinstance(found.get(name), list):
            found[name] = tuple(found[name])
    return found


def trained(
    engine: str,
    net: Network,
    recipe: str,
    dataset: Dataset,
    history: Sequence[EpochReport],
    accuracy: float,
    began: float,
) -> Trained:
    """What came out of it. began: `time.perf_counter()` before."""
    return Trained(
        engine=engine,
        network=net,
        recipe=recipe,
        data=dataset.name,
        split=dataset.split,
        history=tuple(history),
        accuracy=accuracy,
        differing=None,
        seconds=time.perf_counter() - began,
    )

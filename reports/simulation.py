"""The page of `make sim`: what one small network did, from its record and a few arrays."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from toreq_hw.records.simulation import Simulation
from toreq_hw.reports.page import Page, Section, Table, network_facts
from toreq_hw.reports.pictures import bars, histogram, learning_curve, weight_map

_DIGIT = (
    "The network computes by coming to rest. In each tick half of its neurons look at the others "
    "and take the state of least energy. Every engine and the hardware give these states, bit for "
    "bit."
)


def simulation_page(
    record: Simulation,
    rows: Sequence[tuple[str, str]],
    sweeps: npt.NDArray[np.integer],
    events_per_tick: Sequence[float],
    weight: npt.NDArray[np.int8],
    shape: tuple[int, int],
    settling: tuple[str, ...],
) -> Page:
    """Puts the record of the demonstration into pictures.

    rows: the table that the terminal shows too. sweeps: of each test image. events_per_tick:
    mean events in tick 1, 2, ... weight: of the first coupling; shape: of an image. settling:
    pictures of one image's phase.
    """
    return Page(
        title="A ternary network that settles and learns in integers",
        lead=(
            f"{100 * record.accuracy:.2f} % of {record.samples} test images of "
            f"{record.data}, learned with on-chip arithmetic alone; the same shape "
            "trained with floating-point equilibrium propagation reaches "
            f"{100 * record.float_accuracy:.2f} % as the mean of "
            f"{len(record.float_accuracies)} seeds."
        ),
        sections=(
            Section("A digit settles", _DIGIT, pictures=settling),
            Section("What it took", record.split, Table(("figure", "value"), tuple(rows))),
            _learning_section(record),
            _settling_section(sweeps, events_per_tick),
            Section(
                "What the first hidden neurons look for",
                "Ternary input weights: red +1, blue -1, white 0.",
                pictures=(weight_map(weight, shape),),
            ),
        ),
        made_by=dict(record.versions),
        passed=record.bit_exact and record.unsettled == 0,
        facts=network_facts(record.network_sha256),
    )


def _learning_section(record: Simulation) -> Section:
    curves = {
        "training images": [entry.train_accuracy for entry in record.history],
        "test images": [entry.accuracy for entry in record.history],
    }
    text = (
        "Integer updates, one image at a time: free phase, two nudged phases, one local "
        "step. Training accuracy is that of the free phase before each update."
    )
    return Section("Learning", text, pictures=(learning_curve(curves),))


def _settling_section(sweeps: npt.NDArray[np.integer], events_per_tick: Sequence[float]) -> Section:
    text = (
        "Left: sweeps until a whole sweep changed nothing. Right: where the work is, "
        "state changes sent in each tick, mean over test images."
    )
    pictures = (
        histogram(sweeps, "sweeps to settle"),
        bars(events_per_tick, "tick", "events per image"),
    )
    return Section("Settling", text, pictures=pictures)

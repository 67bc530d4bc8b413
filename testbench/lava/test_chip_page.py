"""What the page shows of a network on a chip adds up to what the simulator counted."""

import re
from dataclasses import replace

import numpy as np
import pytest

from testbench.lava.test_mapper import filled
from toreq_hw import sim
from toreq_hw.lava_backend.mapper import Mapping, load_chip, map_network
from toreq_hw.records.chip import ChipActivity
from toreq_hw.reports.chip_pictures import event_raster, limit_bars, phase_activity
from toreq_hw.reports.core_map import core_map
from toreq_hw.reports.footnotes import Footnotes
from toreq_hw.targets.chip_activity import chip_activity, rates_by_population
from toreq_hw.targets.chip_report import activity
from toreq_hw.targets.expected import Phases, simulate
from toreq_hw.targets.target import Samples


@pytest.fixture(scope="module")
def case() -> tuple[Phases, Mapping, ChipActivity, np.ndarray]:
    """A hidden population on several cores, so that there is traffic."""
    net = filled((9, 70, 6, 5), density=0.7)
    rng = np.random.default_rng(1)
    inputs = rng.integers(0, 16, (6, 9)).astype(np.int16)
    samples = Samples("drawn", "all of them", inputs, rng.integers(0, 5, 6))
    expected = simulate(net, samples)
    chip = load_chip("loihi2")
    chip = replace(chip, counts=chip.counts | {"neurons_per_core": 20})
    mapping = map_network(net, chip)
    return expected, mapping, chip_activity(expected, mapping, inputs), inputs


def test_activity_is_that_of_the_trace(
    case: tuple[Phases, Mapping, ChipActivity, np.ndarray],
) -> None:
    expected, _, found, _ = case
    totals = [int(sum(phase.events[k] for phase in expected.all)) for k in range(6)]
    assert (found.samples, totals[found.sample]) == (6, max(totals))
    for phase, shown in zip(expected.all, found.phases, strict=True):
        events = sum(sum(counts) for counts in shown.events.values())
        assert events == pytest.approx(phase.events.mean(), abs=1e-2)
        ticks = {len(counts) for counts in shown.events.values()}
        assert ticks == {int(phase.ticks.max())}
        assert len(shown.raster) == phase.events[found.sample]
    assert expected.free.trace is not None
    states = expected.free.trace.states(found.sample)
    first = next(iter(states.values()))
    tick, neuron = next(pair for pair in found.phases[0].raster if pair[1] < first.shape[1])
    assert first[tick, neuron] != first[tick - 1, neuron]


def test_traffic_adds_up_to_the_messages_of_the_estimate(
    case: tuple[Phases, Mapping, ChipActivity, np.ndarray],
) -> None:
    expected, mapping, found, inputs = case
    assert mapping.cores_used == 6
    total = sum(way.messages for way in found.traffic)
    assert total == pytest.approx(activity(expected, mapping, inputs).messages, rel=1e-3)
    outside = [way for way in found.traffic if way.source is None]
    assert {mapping.cores[way.target].population for way in outside} == {
        expected.free.network.relaxing[0].name
    }
    assert len({(way.source, way.target) for way in found.traffic}) == len(found.traffic)


def test_pictures_show_every_core_phase_and_way(
    case: tuple[Phases, Mapping, ChipActivity, np.ndarray],
) -> None:
    _, mapping, found, _ = case
    pictures = (
        limit_bars(mapping.record()),
        event_raster(found),
        phase_activity(found),
        core_map(mapping.record(), found.traffic),
    )
    for picture in pictures:
        assert picture.startswith("<svg")
    raster, *_ = re.findall('aria-label="([^"]*)"', pictures[1])
    assert raster.count("phase: neuron against tick") == len(found.phases) == 3
    without = core_map(mapping.record(), ())
    between = [way for way in found.traffic if way.source is not None and way.messages]
    assert pictures[3].count("<path") > without.count("<path") + len(between)


def test_the_core_map_is_drawn_around_the_cores_in_use() -> None:
    mapping = map_network(filled((3, 4, 2)), load_chip("loihi2")).record()
    columns = [core.column for core in mapping.cores]
    drawn = core_map(mapping, ())
    first, last = max(0, min(columns) - 1), min(mapping.chip.columns, max(columns) + 2) - 1
    assert f"columns {first}..{last}, rows" in drawn
    assert f"of {mapping.chip.columns} x {mapping.chip.rows} cores" in drawn
    whole = replace(mapping, cores=(mapping.cores[0], replace(mapping.cores[1], column=15, row=7)))
    assert last < 15
    assert "x 8 cores" in drawn
    assert "x 8 cores" not in core_map(whole, ())  # nothing is left out


def test_footnotes_name_a_source_once() -> None:
    notes = Footnotes()
    assert [notes.mark(text) for text in ("a", "b", "a")] == ["[1]", "[2]", "[1]"]
    table = notes.section().table
    assert table is not None
    assert table.rows == (("[1] a",), ("[2] b",))


def test_a_phase_without_events_has_pictures() -> None:
    net = filled((3, 4, 2), density=0.0)
    inputs = np.zeros((1, 3), dtype=np.int16)
    free = sim.relax(net, inputs, trace=True)
    mapping = map_network(net, load_chip("loihi2"))
    found = chip_activity(Phases(free, free, free), mapping, inputs)
    assert event_raster(found).startswith("<svg")
    assert phase_activity(found).startswith("<svg")
    assert core_map(mapping.record(), found.traffic).startswith("<svg")


def test_a_zero_weight_of_a_sparse_list_is_no_synapse() -> None:
    """Counted by hand: every event times the non-zero weights of its neuron, each way."""
    net = filled((9, 70, 30, 20), density=0.05)
    rng = np.random.default_rng(1)
    inputs = rng.integers(0, 16, (6, 9)).astype(np.int16)
    expected = simulate(net, Samples("drawn", "all of them", inputs, rng.integers(0, 20, 6)))
    mapping = map_network(net, load_chip("loihi2"))
    found = activity(expected, mapping, inputs)
    rates = rates_by_population(expected.free, inputs)
    walked = messages = 0.0
    for projection in net.projections:
        nonzero = np.count_nonzero(projection.matrix, axis=1)
        walked += rates[projection.source.name] @ nonzero
        messages += rates[projection.source.name] @ (nonzero > 0)
    assert found.synops == pytest.approx(walked)
    assert found.messages == pytest.approx(messages)
    assert found.synops < 0.3 * expected.free.synops.mean()

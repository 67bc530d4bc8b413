"""The estimate of energy: counted by hand on a tiny design, linear in activity, and sourced."""

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
from amaranth import Module, Signal, unsigned
from amaranth.lib import wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from testbench.networks import with_random_weights
from toreq_hw import sim
from toreq_hw.boards import registry
from toreq_hw.boards.energy.activity import activity
from toreq_hw.boards.energy.coefficients import coefficients
from toreq_hw.boards.energy.counted import CountedDesign
from toreq_hw.boards.energy.estimate import energy
from toreq_hw.boards.fit.check import check_fit
from toreq_hw.network import WeightFormat, layered
from toreq_hw.records.energy import Activity, Coefficients, Range

WORK = Activity(10, 1000.0, 4000.0, 9000.0, 1000.0, ())


class Tiny(wiring.Component):
    """A counter of 3 bits, and a memory of 2 words of 4 bits that it is written to."""

    go: In(1)  # type: ignore[valid-type]  # Amaranth reads the annotation
    out: Out(3)  # type: ignore[valid-type]

    def elaborate(self, platform: object) -> Module:
        """Nothing else has a register: what is read from the memory comes without a clock."""
        m = Module()
        count = Signal(3)
        m.submodules.memory = memory = Memory(shape=unsigned(4), depth=2, init=[])
        write, read = memory.write_port(), memory.read_port(domain="comb")
        m.d.comb += [
            write.addr.eq(count[0]),
            write.data.eq(count),
            write.en.eq(self.go),
            read.addr.eq(count[0]),
            self.out.eq(count ^ read.data[:3]),
        ]
        with m.If(self.go):
            m.d.sync += count.eq(count + 1)
        return m


def test_counts_are_those_of_a_waveform_counted_by_hand(tmp_path: Path) -> None:
    """Counter 0 1 2 3 4: 1 + 2 + 1 + 3 bits change. Words 0, 1, 2, 3 are written to 0, 1, 0, 1:
    the first changes nothing, three change a word of 4 bits.
    """
    design = CountedDesign(Tiny(), tmp_path)
    seen = []
    for go in (0, 1, 1, 1, 1, 0, 0):
        design.put("go", go)
        design.low()
        design.high()
        seen.append(design.counts().toggles)
    counts = design.counts()
    design.close()
    assert seen == [0, 1, 3, 4, 7, 7, 7]
    assert counts.written_bits == 12


def test_activity_of_a_core_is_that_of_its_images(tmp_path: Path) -> None:
    draw = np.random.default_rng(4)
    blank = layered((12, 9, 4), WeightFormat.TERNARY, (2, 2), state_bits=4)
    network = with_random_weights(blank, draw)
    parameters = check_fit(registry.get("icebreaker"), network, 4)
    assert not parameters.stores[0].initialised
    inputs = draw.integers(0, network.input.state_max + 1, (8, 12)).astype(np.int16)
    found = activity(network, parameters, inputs, tmp_path)
    assert found.classes == tuple(sim.relax(network, inputs).classes)
    assert len(set(found.classes)) == 3
    once = activity(network, parameters, inputs[:1], tmp_path)
    twice = activity(network, parameters, np.repeat(inputs[:1], 2, axis=0), tmp_path)
    assert twice.cycles == pytest.approx(once.cycles, rel=0.05)
    assert twice.toggles == pytest.approx(once.toggles, rel=0.2)
    assert 10 < found.toggles / found.cycles < 500


@pytest.mark.parametrize("name", registry.names())
def test_every_coefficient_has_a_source_a_reason_and_a_range(name: str) -> None:
    known = coefficients(registry.get(name).capacity)
    if isinstance(known, str):
        assert "no source" in known
        return
    for field in fields(Coefficients):
        coefficient = getattr(known, field.name)
        assert len(coefficient.source) > 20
        assert len(coefficient.reason) > 20
        assert 0 <= coefficient.low <= coefficient.high
        assert coefficient.high > 0
        assert coefficient.unit == ("mW" if field.name == "fixed" else "pJ")


def _known(name: str) -> Coefficients:
    known = coefficients(registry.get(name).capacity)
    assert isinstance(known, Coefficients)
    return known


def test_twice_the_activity_is_twice_the_dynamic_part() -> None:
    known = _known("icebreaker")
    once = energy(WORK, 100, 24e6, known)
    more = replace(WORK, cycles=2000.0, toggles=8000.0, read_bits=18_000.0, written_bits=2000.0)
    twice = energy(more, 100, 48e6, known)  # twice the cycles in the same time
    assert twice.fixed == once.fixed
    assert twice.dynamic.low == pytest.approx(2 * once.dynamic.low)
    assert twice.dynamic.high == pytest.approx(2 * once.dynamic.high)
    idle = energy(replace(WORK, toggles=0.0), 100, 24e6, known)
    assert once.total.high - idle.total.high == pytest.approx(4000 * known.toggle.high * 1e-6)


def test_every_term_is_its_units_times_its_coefficient() -> None:
    known = _known("ulx3s_25f")
    found = energy(WORK, 300, 80e6, known)
    assert found.fixed.low == pytest.approx(77e-3 * 1.1 * 1000 / 80e6 * 1e6)
    assert found.clock == Range(0.0, pytest.approx(1000 * known.clock.high * 1e-6))
    assert found.flip_flops.high == pytest.approx(1000 * 300 * known.flip_flop.high * 1e-6)
    assert found.memories.low == pytest.approx(10_000 * 10 / 64 * (1.1 / 0.9) ** 2 * 1e-6)
    for end in ("low", "high"):
        terms = [getattr(getattr(found, field.name), end) for field in fields(found)]
        assert len(terms) == 5
        assert getattr(found.total, end) == pytest.approx(sum(terms))


def test_figures_that_were_measured_come_back() -> None:
    """The counters that a coefficient was taken from must cost what was measured."""
    known = _known("icebreaker")
    counters = Activity(1, 12e6, 14 * 12e6, 0.0, 0.0, ())  # of a second at 12 MHz
    assert energy(counters, 0, 12e6, known).toggles.low == pytest.approx(27.8 * 1.219)

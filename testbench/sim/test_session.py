"""A session's ticks are what `relax` computes and a trace records, with every engine."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbench.networks import Case, cases, random_case
from testbench.watching import Registers, check_ticks
from toreq_hw import sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.errors import InputError
from toreq_hw.network import Schedule
from toreq_hw.sim.session import Session

SWEEPS = 60
PHASES = {1: "positive", -1: "negative"}


def check_phase(
    case: Case, phase: str, watched: Registers, expected: sim.PhaseResult, drive: np.ndarray
) -> None:
    """One watched phase against `relax` with a trace; registers against the trajectory."""
    (start, ticks), *_ = watched.ticks.phases
    check_ticks(case.network, ticks, expected)
    assert {start.phase, *(tick.phase for tick in ticks)} == {phase}
    assert sim.first_difference(expected, watched.results[0]) is None
    trace = expected.trace
    assert trace is not None
    assert np.array_equal(start.states, trace.initial)
    ways = [trace.trajectory(k) for k in range(len(case.inputs))]
    for tick, states, energies in zip(ticks, watched.states, watched.energies, strict=True):
        rows = np.array([way[min(tick.number, len(way) - 1)] for way in ways])
        assert np.array_equal(states, rows)
        split = sim.Layout(case.network).split(rows)
        assert np.array_equal(energies, doubled_energy(case.network, case.inputs, split, drive))


@pytest.mark.parametrize("schedule", Schedule)
@settings(max_examples=12, deadline=None)
@given(data=st.data(), threshold=st.sampled_from([0, 3]))
def test_a_session_is_relax_and_its_trace(
    schedule: Schedule, data: st.DataObject, threshold: int
) -> None:
    """Self-couplings, skips, both formats; all three phases; every register, tick by tick."""
    case = data.draw(cases(schedule, skips=True))
    limits = {"threshold": threshold, "max_sweeps": SWEEPS}
    nothing = np.zeros((len(case.inputs), case.network.output.size), dtype=np.int32)
    sums = []
    for engine in sim.EngineName:
        watched = Registers()
        session = Session(case.network, engine=engine, observers=[watched], **limits)
        session.start(case.inputs)
        free = session.run()
        expected = sim.relax(case.network, case.inputs, engine=engine, trace=True, **limits)
        check_phase(case, "free", watched, expected, nothing)
        sums.append(watched.accumulators)
        for sign in (1, -1):
            nudge = sim.nudge(case.network, free.states[case.network.output.name], case.labels)
            nudged = Registers()
            session.nudge(case.labels, sign)
            session.run(nudged)
            expected = sim.relax(
                case.network,
                case.inputs,
                engine=engine,
                states=free.states,
                drive=np.int32(sign) * nudge,
                trace=True,
                **limits,
            )
            check_phase(case, PHASES[sign], nudged, expected, np.int32(sign) * nudge)
            sums[-1] = [*sums[-1], *nudged.accumulators]
    for others in sums[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(sums[0], others, strict=True))


@pytest.mark.parametrize("engine", sim.EngineName)
def test_unwatched_stepped_and_watched_phases_end_alike(engine: str) -> None:
    case = random_case(7, schedule=Schedule.PARITY)
    results = []
    for how in ("full speed", "stepped", "watched", "joined half way"):
        session = Session(case.network, engine=engine)
        session.start(case.inputs)
        while how == "stepped" and not session.finished:
            session.step()
        if how == "joined half way":
            session.step()
        late = Registers()
        session.run(late if how in ("watched", "joined half way") else None)
        assert session.result is not None
        results.append(session.result)
        if how == "joined half way":
            (start, ticks), *_ = late.ticks.phases
            assert ticks[0].number == 2
            changed = start.states.copy()
            changed[ticks[0].sample, ticks[0].neuron] = ticks[0].after
            assert np.array_equal(changed, late.states[0])
    assert [result.trace is None for result in results] == [True, False, False, False]
    assert all(sim.first_difference(results[0], other) is None for other in results[1:])


def test_a_two_cycle_and_the_limit_end_a_session() -> None:
    drawn = (random_case(s, schedule=Schedule.SYNCHRONOUS, batch=8) for s in range(40))
    cycling = next(
        c for c in drawn if (sim.free_phase(c.network, c.inputs).status == sim.Status.CYCLE).any()
    )
    for limit in (1, 2, SWEEPS):
        expected = sim.relax(cycling.network, cycling.inputs, max_sweeps=limit)
        for engine in sim.EngineName:
            session = Session(cycling.network, engine=engine, max_sweeps=limit)
            session.start(cycling.inputs)
            session.step()
            assert sim.first_difference(expected, session.run()) is None


def test_registers_are_those_of_their_tick_only() -> None:
    case = random_case(7, schedule=Schedule.PARITY)
    session = Session(case.network)
    session.start(case.inputs)
    first = session.step()
    kept = first.registers.states
    session.step()
    with pytest.raises(InputError, match="registers of tick 1 must be read before the next tick"):
        _ = first.registers.energy
    assert np.array_equal(kept, first.registers.states if session.finished else kept)


def test_what_a_session_refuses() -> None:
    case = random_case(7, schedule=Schedule.PARITY)
    session = Session(case.network)
    with pytest.raises(InputError, match="a session must be started before it is used"):
        session.step()
    session.start(case.inputs)
    with pytest.raises(InputError, match="must follow a free phase that has ended"):
        session.nudge(case.labels, 1)
    session.run()
    with pytest.raises(InputError, match="a tick must be of a phase that runs"):
        session.step()
    with pytest.raises(InputError, match="sign must be 1 or -1"):
        session.nudge(case.labels, 2)
    with pytest.raises(InputError, match="samples must be at least 1, found 0"):
        session.start(case.inputs[:0])
    with pytest.raises(InputError, match="engine must be one of"):
        Session(case.network, engine="quantum")


def test_the_example_of_the_page_runs(capsys: pytest.CaptureFixture[str]) -> None:
    page = (Path(__file__).parents[2] / "docs" / "sessions.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["free"].unsettled == 0
    assert names["positive"].phase == "positive"
    assert len(capsys.readouterr().out.splitlines()) == names["free"].ticks.max()


@pytest.mark.parametrize("observer", [5, "ticks", object()])
def test_what_does_not_watch_is_refused(observer: Any) -> None:
    case = random_case(5)
    with pytest.raises(InputError, match="an observer must have begin, tick and end, found"):
        Session(case.network, observers=[observer])
    session = Session(case.network)
    session.start(case.inputs)
    with pytest.raises(InputError, match="an observer must have begin, tick and end, found"):
        session.run(observer)
    free = session.run()
    with pytest.raises(InputError, match="sign must be 1 or -1, not True"):
        sim.nudged_phase(case.network, case.inputs, free, case.labels, True)

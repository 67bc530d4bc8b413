"""Runs the breaks of testbench/bus_mutants.py: a wrapper of broken sources under the bus tests."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType

import click

from testbench.rtl.learning_plan import LearningPlan
from testbench.rtl.plan import Plan
from testbench.rtl.simulate import ROOT, simulators
from testbench.rtl.test_bus import bus_plan, learning_plan
from testbench.rtl.wrapped import simulate_wrapped, wrapped_texts
from testbench.source_mutants import Mutant
from toreq_hw.code_digest import code_digest
from toreq_hw.files import write_json
from toreq_hw.network import Schedule
from toreq_hw.records import plain
from toreq_hw.rtl.bus.buses import Bus
from toreq_hw.studies.ledger import Ledger

_PACKAGE = "toreq_hw.rtl.bus"
_SHARED = f"{_PACKAGE}.buses"
"""Is compared by identity, and stays as it is."""

_CODE = ("testbench/rtl/*bus*.py", "testbench/rtl/wrapped.py", "rtl/bus/*.py", "rtl/core.py")
"""A verdict is kept while these do the same."""


@dataclass(frozen=True)
class Trial:
    """A break, and the test that must notice it: of a bus, or of a core that learns."""

    mutant: Mutant
    test: str


@dataclass(frozen=True)
class Verdict:
    """failure: the line with which the test ended; None where it passed."""

    failure: str | None


@dataclass(frozen=True)
class Decided:
    """One line of build/bus-mutants.json."""

    number: int
    test: str
    mutant: Mutant
    word: str
    failure: str | None


def main(trials: Sequence[Trial]) -> None:
    """The command line; the process ends with the campaign's status."""

    @click.command(help="Break the wrappers and count what the tests notice (make bus-mutants).")
    @click.argument("numbers", nargs=-1, type=click.IntRange(0, len(trials) - 1))
    @click.option("--list", "listed", is_flag=True, help="Print the breaks and do nothing.")
    def command(numbers: tuple[int, ...], *, listed: bool) -> None:
        chosen = numbers or range(len(trials))
        if listed:
            for number in chosen:
                found = trials[number]
                before, after = found.mutant.before, found.mutant.after
                click.echo(f"{number:3} {found.test}: {found.mutant.file} {before!r} -> {after!r}")
            return
        sys.exit(_run(trials, chosen))

    command(prog_name="python testbench/bus_mutants.py")


def _run(trials: Sequence[Trial], numbers: Sequence[int]) -> int:
    """Tries these and prints each verdict; keeps what is decided. 1 if one is not as listed."""
    simulator = simulators()[-1]
    files = sorted(path for pattern in _CODE for path in ROOT.glob(pattern))
    shared = {"code": code_digest(files), "simulator": simulator}
    ledger = Ledger(ROOT / "build" / "mutants", "bus", shared, Verdict)
    decided = []
    for number in numbers:
        trial = trials[number]
        for run in ({"test": trial.test}, _run_of(trial)):
            if run not in ledger:
                whole = run.get("before") is None
                click.echo(f"{'whole wrapper' if whole else number}: {trial.test} ...")
                mutant = None if whole else trial.mutant
                ledger.add(run, Verdict(_failure(trial.test, mutant, simulator)))
        if (failure := ledger[{"test": trial.test}].failure) is not None:
            raise SystemExit(f"{trial.test} must pass before anything is broken, found: {failure}")
        decided.append(_decided(number, trial, ledger[_run_of(trial)]))
        last = decided[-1]
        click.echo(f"{last.word:12} {number:3} {trial.mutant.before!r}: {failure_of(last)}")
    write_json(ROOT / "build" / "bus-mutants.json", [plain(one) for one in decided])
    words = [one.word for one in decided]
    counts = ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
    click.echo(f"{len(decided)} breaks in {simulator}: {counts}; wrote build/bus-mutants.json")
    return int(any(word.isupper() for word in words))


def _run_of(trial: Trial) -> dict[str, str]:
    mutant = trial.mutant
    place = {"file": mutant.file, "before": mutant.before, "after": mutant.after}
    return {"test": trial.test, **place}


def _decided(number: int, trial: Trial, verdict: Verdict) -> Decided:
    if verdict.failure is None:
        word = "harmless" if trial.mutant.harmless else "SURVIVED"
    else:
        word = "NOT HARMLESS" if trial.mutant.harmless else "killed"
    return Decided(number, trial.test, trial.mutant, word, verdict.failure)


def failure_of(decided: Decided) -> str:
    """What noticed it, or why nothing can."""
    return (decided.failure or decided.mutant.harmless or "no test failed")[:160]


def _failure(test: str, mutant: Mutant | None, simulator: str) -> str | None:
    """How the test ends with the wrapper, broken or whole."""
    plan, bus, texts = _wrapped(test)
    if mutant is not None:
        try:
            broken = _broken_verilog(mutant, plan, bus)
        except Exception as error:  # a break may also keep Amaranth from making any Verilog
            return f"no Verilog: {type(error).__name__}: {error}"
        if broken == texts["wrapper.v"]:
            raise SystemExit(f"{mutant.file}: {mutant.before!r} must change the Verilog of {test}")
        texts = texts | {"wrapper.v": broken}
    return simulate_wrapped(plan, f"mutant-{test}", bus, simulator, texts=texts).failure


@cache
def _wrapped(test: str) -> tuple[Plan | LearningPlan, Bus, dict[str, str]]:
    """The core of a test, its bus, and the Verilog of both."""
    plan: Plan | LearningPlan = bus_plan(4, Schedule.SEQUENTIAL, 4)
    bus = Bus.WISHBONE
    if test == "learning":
        plan = learning_plan()
    else:
        bus = Bus(test)
    return plan, bus, wrapped_texts(plan, bus)


def _broken_verilog(mutant: Mutant, plan: Plan | LearningPlan, bus: Bus) -> str:
    """Of the wrapper that the sources describe once they are broken."""
    source = (ROOT / mutant.file).read_text(encoding="utf-8")
    if source.count(mutant.before) != 1:
        raise SystemExit(f"{mutant.file}: must hold {mutant.before!r} exactly once")
    broken = source.replace(mutant.before, mutant.after)
    with _replaced(f"toreq_hw.{mutant.file[:-3].replace('/', '.')}", broken):
        wrapper = import_module(f"{_PACKAGE}.wrapper")
        found: str = wrapper.wrapper_verilog(plan.parameters, bus)
    return found


@contextmanager
def _replaced(name: str, source: str) -> Iterator[None]:
    """The modules of the wrapper are imported anew, that called `name` from other text."""
    kept = {n: m for n, m in sys.modules.items() if n.startswith(f"{_PACKAGE}.") and n != _SHARED}
    package = sys.modules[_PACKAGE]
    finder = _Finder(name, source)
    for one in kept:
        del sys.modules[one]
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for one in [n for n in sys.modules if n.startswith(f"{_PACKAGE}.") and n != _SHARED]:
            del sys.modules[one]
        sys.modules.update(kept)
        for one, module in kept.items():
            setattr(package, one.rpartition(".")[2], module)


class _Source(SourceFileLoader):
    """Loads other text than the file's; nothing is cached."""

    def __init__(self, name: str, path: str, text: str) -> None:
        super().__init__(name, path)
        self._text = text

    def get_code(self, fullname: str) -> object:  # type: ignore[override]
        """Of the text."""
        return compile(self._text, self.path, "exec")


class _Finder(MetaPathFinder):
    """Finds one module."""

    def __init__(self, name: str, text: str) -> None:
        self._name, self._text = name, text

    def find_spec(
        self, fullname: str, path: object, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Of that module alone."""
        if fullname != self._name:
            return None
        file = str(Path(ROOT / "toreq_hw").joinpath(*fullname.split(".")[1:])) + ".py"
        return spec_from_file_location(fullname, file, loader=_Source(fullname, file, self._text))

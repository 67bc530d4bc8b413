"""Mutants of what learns: small faults in the netlist; the comparison of latents must notice each.

One compiled model holds all of them, an input picks one. Of what survives, none may be shown to
differ from the whole core (`testbench.rtl.equivalence`), and enough must be noticed or proved
equivalent; a survivor that nothing decides in time is named. Each mutant runs in a process of its
own, because a harmed core may answer more often than asked.

python -m testbench.rtl.learning_mutants --count 80
"""

import multiprocessing
from pathlib import Path
from typing import Any

import click

from testbench.rtl.checker import MismatchError
from testbench.rtl.equivalence import Mutants
from testbench.rtl.learning_cases import SMALL
from testbench.rtl.learning_script import Script, run_script
from testbench.rtl.mutations import make_mutants, unharmed
from testbench.rtl.simulate import RUNS
from testbench.rtl.tools import yosys
from testbench.rtl.verdict import finish, versions_used
from toreq_hw.errors import InputError
from toreq_hw.rtl.compiled_model import CompiledModel, compile_model
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.compiled import CompiledLearner
from toreq_hw.rtl.verilog import TOP

LEARNS = "a:src=*learning* c:*store* %u"
"""The cells of rtl/learning, and of the stores that LEARN writes."""

DECIDED = 60
"""At least so many must be noticed, or be proved equivalent."""

ROUNDS = 5
"""Questions about one mutant for each choice of free registers: those that decide come early."""

PATIENCE_S = 300
"""Of one mutant; a whole core takes a second."""


class HarmedLearner(CompiledLearner):
    """The core of a library that holds all mutants, with one of them picked."""

    def __init__(self, library: Path, mutant: int) -> None:
        self._parameters = SMALL.parameters
        self._model = CompiledModel(library)
        self.cycles = 0
        self._model.put("mutant", mutant)
        self._model.reset()

    @property
    def faults(self) -> int:
        """The sticky flags."""
        self._model.low()
        return self._model.get("faults")

    def reset(self) -> None:
        """As power-up, but for what memories hold."""
        self._model.reset()


@click.command()
@click.option("--count", type=click.IntRange(DECIDED, 1000), default=80, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option("--seconds", type=click.IntRange(1), default=15, help="Of an attempt at a proof.")
@click.option("--prove/--no-prove", default=True, help="Prove the survivors equivalent.")
def command(count: int, seed: int, seconds: int, prove: bool) -> None:
    """Run every mutant against the simulator, and prove the survivors equivalent."""
    folder = RUNS.parent / "mutants" / "learning"
    folder.mkdir(parents=True, exist_ok=True)
    core = Core(SMALL.parameters, MemoryImages.of(SMALL.network, SMALL.parameters))
    mutations = make_mutants(core, folder, count, seed, LEARNS, clocks=False)
    library = _library(folder)
    script = Script.of(SMALL)
    failure = _reason(library, unharmed(), script)
    if failure:
        mutations = []  # none of them can show anything
    reasons = []
    for number, mutation in enumerate(mutations):
        reasons.append(_reason(library, number, script))
        click.echo(f"{number}: {reasons[-1] or 'SURVIVED'}: {mutation}")
    left = [number for number, reason in enumerate(reasons) if reason is None]
    proofs = _proofs(folder, left, seconds) if prove else dict.fromkeys(left, "UNKNOWN (not asked)")
    words = list(proofs.values())
    equal, differ = words.count("PROVED"), words.count("REFUTED")
    killed = len(mutations) - len(left)
    open_ones = [n for n, word in proofs.items() if word not in ("PROVED", "REFUTED")]
    record = {
        "failure": f"the whole core: {failure}" if failure else None,
        "mutants": len(mutations),
        "killed": killed,
        "equivalent": equal,
        "missed": differ,
        "undecided": open_ones,
        "kill_rate": killed / max(1, len(mutations) - equal),
        "all": [
            {"mutation": mutation, "killed_by": reason, "proof": proofs.get(number)}
            for number, (mutation, reason) in enumerate(zip(mutations, reasons, strict=True))
        ],
        "versions": versions_used(),
    }
    verdict = (
        f"learning-mutants: {killed} of {len(mutations)} mutants die, {equal} are proved "
        f"equivalent, {differ} are missed, {len(open_ones)} undecided"
    )
    passed = failure is None and not differ and killed + equal >= DECIDED
    finish("learning-mutants", record, passed=passed, verdict=verdict)


def _library(folder: Path) -> Path:
    """The compiled model of all mutants, with the drivers of a core that learns."""
    yosys("read_rtlil mutants.il; write_cxxrtl mutants.cc", folder)
    model = (folder / "mutants.cc").read_text()
    return compile_model(model, "mutants", folder, drivers=CompiledLearner.drivers, top=TOP)


def _proofs(folder: Path, survivors: list[int], seconds: int) -> dict[int, str]:
    mutants = Mutants(folder, unharmed(), ROUNDS)
    proofs = {}
    for number in survivors:
        proofs[number] = mutants.compare(number, seconds)
        click.echo(f"{number}: {proofs[number]}")
    return proofs


def _reason(library: Path, mutant: int, script: Script) -> str | None:
    """Why a mutant dies; None for a survivor."""
    context = multiprocessing.get_context("fork")
    answers: Any = context.Queue()
    process = context.Process(target=_run, args=(library, mutant, script, answers))
    process.start()
    process.join(PATIENCE_S)
    if process.is_alive():
        process.kill()
        process.join()
        return f"no answer within {PATIENCE_S} s"
    if process.exitcode:
        return f"the process ended with {process.exitcode}"
    reason: str | None = answers.get()
    return reason


def _run(library: Path, mutant: int, script: Script, answers: Any) -> None:
    reason = None
    try:
        run_script(HarmedLearner(library, mutant), script)
    except (MismatchError, InputError) as error:
        reason = str(error)
    answers.put(reason)


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.learning_mutants")

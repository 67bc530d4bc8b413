"""And-inverter graphs as numbers: read, copied under constants, joined, written (AIGER 1.9).

A literal is twice a variable's number, plus one where it is inverted; 0 is false, 1 is true.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Graph:
    """inputs, latches (their literal), then gates, numbered in this order from variable 1 on.

    gates: (left, right) literals. next: what each latch takes in the next cycle; all latches
    start at 0. names: of the inputs, latches and outputs, `name[bit]`.
    """

    inputs: int = 0
    latches: int = 0
    next: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    gates: list[tuple[int, int]] = field(default_factory=list)
    input_names: dict[str, int] = field(default_factory=dict)
    latch_names: dict[str, int] = field(default_factory=dict)
    output_names: dict[str, int] = field(default_factory=dict)
    _known: dict[tuple[int, int], int] = field(default_factory=dict)

    @staticmethod
    def read(path: Path) -> "Graph":
        """Reads a binary file whose latches all start at 0 (Yosys: write_aiger -zinit)."""
        text = path.read_bytes()
        header, position = _line(text, 0)
        numbers = [int(word) for word in header.split()[1:6]]
        _, inputs, latches, outputs, gates = numbers
        graph = Graph(inputs, latches)
        for _ in range(latches):
            line, position = _line(text, position)
            graph.next.append(int(line.split()[0]))
        for _ in range(outputs):
            line, position = _line(text, position)
            graph.outputs.append(int(line))
        for number in range(gates):
            literal = 2 * (inputs + latches + number + 1)
            delta, position = _decode(text, position)
            left = literal - delta
            delta, position = _decode(text, position)
            graph.gates.append((left, left - delta))
        graph._read_names(text[position:].decode())
        return graph

    def _read_names(self, text: str) -> None:
        for line in text.splitlines():
            if line == "c":
                return
            kind, name = line[0], line.split(" ", 1)[1]
            names = {"i": self.input_names, "l": self.latch_names, "o": self.output_names}
            target = names.get(kind)
            if target is not None:
                target[name] = int(line[1:].split()[0])

    def both(self, left: int, right: int) -> int:
        """The literal of left AND right; constants and repetitions cost no gate."""
        left, right = max(left, right), min(left, right)
        if right == 0 or left == right ^ 1:
            return 0
        if right in (1, left):
            return left
        known = self._known.get((left, right))
        if known is None:
            self.gates.append((left, right))
            known = 2 * (self.inputs + self.latches + len(self.gates))
            self._known[left, right] = known
        return known

    def either(self, literals: Sequence[int]) -> int:
        """The literal of an OR over all."""
        result = 1
        for literal in literals:
            result = self.both(result, literal ^ 1)
        return result ^ 1

    def differ(self, left: int, right: int) -> int:
        """The literal of left XOR right."""
        return self.either([self.both(left, right ^ 1), self.both(left ^ 1, right)])

    def copy_of(self, other: "Graph", given: dict[int, int]) -> list[int]:
        """Adds the gates of `other` on the same inputs and latches, some replaced.

        given: number of an input or latch (inputs first) to a literal here. Returns the literal
        here of each variable there.
        """
        literals = [2 * k for k in range(1 + other.inputs + other.latches)]
        for number, constant in given.items():
            literals[number + 1] = constant
        for left, right in other.gates:
            literals.append(self.both(value_of(literals, left), value_of(literals, right)))
        return literals

    def freed(self, latches: set[int]) -> tuple["Graph", list[int]]:
        """The same with some latches as inputs, which can do all that they did and more.

        Returns as well the literal there of each variable here.
        """
        rest = [latch for latch in range(self.latches) if latch not in latches]
        graph = Graph(self.inputs + len(latches), len(rest))
        numbers = {latch: self.inputs + k for k, latch in enumerate([*sorted(latches), *rest])}
        literals = [2 * k for k in range(1 + self.inputs)]
        literals += [2 * (1 + numbers[latch]) for latch in range(self.latches)]
        for left, right in self.gates:
            literals.append(graph.both(value_of(literals, left), value_of(literals, right)))
        graph.next = [value_of(literals, self.next[latch]) for latch in rest]
        graph.outputs = [value_of(literals, literal) for literal in self.outputs]
        return graph, literals

    def run(self, inputs: Sequence[Sequence[int]]) -> list[int]:
        """The value of each variable in the last of the cycles given, all latches 0 at first."""
        state, values = [0] * self.latches, list[int]()
        for cycle in inputs:
            values = [0, *cycle, *state]
            for left, right in self.gates:
                values.append(value_of(values, left) & value_of(values, right))
            state = [value_of(values, literal) for literal in self.next]
        return values

    def write(self, path: Path) -> None:
        """Writes the binary form."""
        first = self.inputs + self.latches + 1
        total = first - 1 + len(self.gates)
        lines = [f"aig {total} {self.inputs} {self.latches} {len(self.outputs)} {len(self.gates)}"]
        lines += [str(literal) for literal in [*self.next, *self.outputs]]
        body = bytearray()
        for number, (left, right) in enumerate(self.gates):
            body += _encode(2 * (first + number) - left) + _encode(left - right)
        path.write_bytes(("\n".join(lines) + "\n").encode() + bytes(body))


def value_of(variables: list[int], literal: int) -> int:
    """What a literal is, given what each variable is: literals of another graph, or 0 and 1."""
    return variables[literal >> 1] ^ (literal & 1)


def _line(text: bytes, start: int) -> tuple[str, int]:
    end = text.index(b"\n", start)
    return text[start:end].decode(), end + 1


def _decode(text: bytes, position: int) -> tuple[int, int]:
    value, shift = 0, 0
    while True:
        byte = text[position]
        position += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, position


def _encode(value: int) -> bytes:
    out = bytearray()
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])

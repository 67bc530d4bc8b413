"""One page about a core: sizes, ports, memory map, latency formula."""

from amaranth import Value
from amaranth.lib import wiring

from toreq_hw.argument_types import named_type_errors
from toreq_hw.rtl.core import Core
from toreq_hw.rtl.images import store_name
from toreq_hw.rtl.interfaces import Fault
from toreq_hw.rtl.learning.datasheet import learning_section
from toreq_hw.rtl.load_spaces import Space
from toreq_hw.rtl.operations import Page
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.phases import ENDING, Phase, Step
from toreq_hw.rtl.storage import INPUT
from toreq_hw.rtl.timing import block_cycles, step_cycles


@named_type_errors
def datasheet(core: Core) -> str:
    """Markdown, from the parameters alone."""
    parameters = core.parameters
    parts = [
        f"# Relaxation core, {parameters.lanes} lanes, {parameters.update_lanes} of them updating",
        f"Network SHA-256 `{parameters.network_sha256}`. Formula, counters and protocol: "
        "docs/rtl.md.",
        "## Populations",
        _populations(parameters),
        "## Walks",
        _walks(parameters),
        "## Memories",
        _memories(parameters),
        "## Latency in cycles",
        _latency(parameters),
        "## Ports of toreq_core",
        _ports(core),
        *_lossy(parameters),
        *learning_section(parameters),
        "## Faults",
        ", ".join(f"bit {fault.value} {fault.name}" for fault in Fault) + ".",
    ]
    return "\n\n".join(parts) + "\n"


@named_type_errors
def memory_bits(parameters: CoreParameters) -> dict[str, int]:
    """Bits of each memory, as built."""
    return {spec.name: spec.bits for spec in parameters.memories}


def _populations(parameters: CoreParameters) -> str:
    lines = [
        "| population | neurons | rows | first row | states | F |",
        "|---|---|---|---|---|---|",
    ]
    for placement in (parameters.input, *parameters.relaxing):
        first = "-" if placement is parameters.input else str(placement.first_group)
        lines.append(
            f"| {placement.name} | {placement.size} | {placement.groups} | {first} | "
            f"{placement.state_min}..{placement.state_max} | {placement.fraction_bits} |"
        )
    return "\n".join(lines)


def _walks(parameters: CoreParameters) -> str:
    lines = [
        "| event of | walks into | coupling | kept | beats | useful slots |",
        "|---|---|---|---|---|---|",
    ]
    for walk in parameters.walks:
        source = parameters.input if walk.source == INPUT else parameters.relaxing[walk.source]
        useful = walk.neighbours / (walk.beats * parameters.lanes)
        lines.append(
            f"| {source.name} | {parameters.relaxing[walk.target].name} | {walk.coupling} | "
            f"{'skewed' if walk.skewed else 'rows'} | {walk.beats} | {100 * useful:.0f} % |"
        )
    return "\n".join(lines)


def _memories(parameters: CoreParameters) -> str:
    lines = ["| memory | words | bits a word | bits |", "|---|---|---|---|"]
    for spec in parameters.memories:
        lines.append(f"| {spec.name} | {spec.depth} | {spec.word_bits} | {spec.bits} |")
    notes = [
        f"Pages: {', '.join(page.name for page in Page)}; {parameters.groups} rows each of "
        f"accumulators, {parameters.slices} of states."
    ]
    if parameters.accumulator_register:
        notes.append("Rows of accumulators are held as they leave their memory.")
    for number, store in enumerate(parameters.stores):
        name = store_name(parameters, number)
        if store.skewed:
            notes.append(f"Store {name}: {parameters.lanes} banks of {store.width} bits.")
        if not store.initialised:
            notes.append(f"Store {name}: one port, empty at power-up, must be loaded.")
    return "\n".join(lines) + "\n\n" + "\n".join(notes)


def _latency(parameters: CoreParameters) -> str:
    beats = [
        f"- an event of {placement.name}: {parameters.beats_of(number)}"
        for number, placement in [(INPUT, parameters.input), *enumerate(parameters.relaxing)]
    ]
    blocks = [
        f"- updating {placement.name}: {block_cycles(parameters, number)}"
        for number, placement in enumerate(parameters.relaxing)
    ]
    phases = "; ".join(
        f"{p.command.name}: {_begins(parameters, p)}"
        for p in parameters.phases
        if Step.LEARN not in p.steps
    )
    the_class, report = (step_cycles(parameters, step) for step in ENDING)
    return "\n".join(
        [
            *beats,
            *blocks,
            f"- {phases}; then 1 a sweep, the updates, the events",
            f"- the class: {the_class}; a report of all states: {report}",
        ]
    )


def _begins(parameters: CoreParameters, phase: Phase) -> str:
    """Cycles of the steps of a phase before its first sweep."""
    steps = [step for step in phase.steps if step is not Step.FLUSH]
    text = str(sum(step_cycles(parameters, step) for step in steps))
    if Step.FLUSH in phase.steps:
        blocks = sum(block_cycles(parameters, n) for n in range(len(parameters.relaxing)))
        flush = step_cycles(parameters, Step.FLUSH) + blocks
        text = f"{flush} + unsent deltas of FREE + {text}"
    return f"{text} + input events" if Step.PRESENT in steps else text


def _lossy(parameters: CoreParameters) -> list[str]:
    if not parameters.lossy:
        return []
    return [
        "## Lossy mode",
        f"Threshold {parameters.threshold} at power-up and after reset; load word: space "
        f"{Space.THRESHOLD.value}, address 0, data 0..{parameters.highest_threshold}. A slice of "
        "states holds, above its states, those that were sent last.",
    ]


def _ports(core: Core) -> str:
    lines = ["| port | direction | bits |", "|---|---|---|", "| clk, rst | in | 1 |"]
    for path, member, value in core.signature.flatten(core):
        name = "__".join(str(part) for part in path)
        direction = "in" if member.flow is wiring.In else "out"
        lines.append(f"| {name} | {direction} | {len(Value.cast(value))} |")
    return "\n".join(lines)

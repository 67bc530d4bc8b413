"""One page about a core: sizes, ports, memory map, latency formula."""

from amaranth import Value
from amaranth.lib import wiring

from toreq_hw.rtl.core import Core
from toreq_hw.rtl.interfaces import Fault, Page
from toreq_hw.rtl.parameters import INPUT, CoreParameters


def datasheet(core: Core) -> str:
    """Markdown, from the parameters alone."""
    parameters = core.parameters
    parts = [
        f"# Relaxation core, {parameters.lanes} lanes",
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
        "## Ports",
        _ports(core),
        "## Faults",
        ", ".join(f"bit {fault.value} {fault.name}" for fault in Fault) + ".",
    ]
    return "\n\n".join(parts) + "\n"


def memory_bits(parameters: CoreParameters) -> dict[str, int]:
    """Bits of each memory, as built."""
    lanes, pages = parameters.lanes, len(Page) << parameters.group_bits
    row = parameters.group_bits + lanes + lanes * parameters.delta_bits
    stores = {
        f"{store.weight_format.value} weights": store.tiles * lanes * lanes * store.width
        for store in parameters.stores
    }
    return stores | {
        "accumulators": pages * lanes * parameters.accumulator_bits,
        "states": pages * lanes * parameters.state_bits,
        "event queue": parameters.queue_depth * row,
    }


def _populations(parameters: CoreParameters) -> str:
    lines = [
        "| population | neurons | rows | first row | states | F |",
        "|---|---|---|---|---|---|",
    ]
    for slot in (parameters.input, *parameters.relaxing):
        first = "-" if slot is parameters.input else str(slot.first_group)
        lines.append(
            f"| {slot.name} | {slot.size} | {slot.groups} | {first} | "
            f"{slot.state_min}..{slot.state_max} | {slot.fraction_bits} |"
        )
    return "\n".join(lines)


def _walks(parameters: CoreParameters) -> str:
    lines = [
        "| event of | walks into | coupling | by | beats | useful slots |",
        "|---|---|---|---|---|---|",
    ]
    for fan in parameters.fans:
        source = parameters.input if fan.source == INPUT else parameters.relaxing[fan.source]
        useful = fan.neighbours / (fan.beats * parameters.lanes)
        lines.append(
            f"| {source.name} | {parameters.relaxing[fan.target].name} | {fan.coupling} | "
            f"{'column' if fan.by_column else 'row'} | {fan.beats} | {100 * useful:.0f} % |"
        )
    return "\n".join(lines)


def _memories(parameters: CoreParameters) -> str:
    lines = ["| memory | bits | shape |", "|---|---|---|"]
    lanes, rows = parameters.lanes, len(Page) << parameters.group_bits
    shapes = {
        f"{store.weight_format.value} weights": (
            f"{lanes} banks of {store.tiles * lanes} x {store.width}"
        )
        for store in parameters.stores
    }
    shapes["accumulators"] = f"{rows} x {lanes} x {parameters.accumulator_bits}"
    shapes["states"] = f"{rows} x {lanes} x {parameters.state_bits}"
    shapes["event queue"] = f"{parameters.queue_depth} rows"
    for name, bits in memory_bits(parameters).items():
        lines.append(f"| {name} | {bits} | {shapes[name]} |")
    pages = ", ".join(f"{page.name} at row {page.value << parameters.group_bits}" for page in Page)
    return "\n".join(lines) + f"\n\nPages of accumulators and states: {pages}."


def _latency(parameters: CoreParameters) -> str:
    output = parameters.relaxing[parameters.output]
    rows = parameters.groups
    beats = [
        f"- an event of {slot.name}: {parameters.beats_of(number)}"
        for number, slot in [(INPUT, parameters.input), *enumerate(parameters.relaxing)]
    ]
    return "\n".join(
        [
            *beats,
            *(f"- updating {slot.name}: {slot.groups + 7}" for slot in parameters.relaxing),
            f"- FREE: {rows + 1} + input events; RAISE: {rows + 5 + output.groups}; "
            f"LOWER: {2 * rows + 5 + output.groups}; then 1 a sweep, the updates, the events",
            f"- the class: {parameters.classes + 1}; a report of all states: {rows + 1}",
        ]
    )


def _ports(core: Core) -> str:
    lines = ["| port | direction | bits |", "|---|---|---|", "| clk, rst | in | 1 |"]
    for path, member, value in core.signature.flatten(core):
        name = "__".join(str(part) for part in path)
        direction = "in" if member.flow is wiring.In else "out"
        lines.append(f"| {name} | {direction} | {len(Value.cast(value))} |")
    return "\n".join(lines)

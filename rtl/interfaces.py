"""Every signature of the core in one place; docs/rtl.md has the tables.

A stream moves one payload in each cycle where `valid` and `ready` are both high. A source
keeps the payload steady while it waits, and never waits for `ready` before raising `valid`.
"""

from enum import IntEnum
from typing import Any

from amaranth import Shape, signed, unsigned
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import Out

from toreq_hw.rtl.fixed_width import index_bits
from toreq_hw.rtl.parameters import CoreParameters

Members = dict[str, Any]
"""Some of a component's ports by name, as Amaranth's signatures take them."""


class Fault(IntEnum):
    """Bits of the sticky `faults` output: why a word on the wire was refused.

    A refused word has no other effect. Cleared by reset.
    """

    INPUT_INDEX = 0
    """An input index beyond the last neuron, or not above the one before it."""
    INPUT_VALUE = 1
    """An input value outside the population's range."""
    COMMAND = 2
    """A command that does not follow from the one before, or an unknown one."""
    LABEL = 3
    """A label that is no output neuron."""
    LOAD_ADDRESS = 4
    """A load to a row or space that the core does not have; the same of what is read back."""
    LOAD_DATA = 5
    """A load of a value that is no weight of the format, a limit of 0 sweeps, a threshold above the
    largest move of a state, or a rate out of range."""


def state_shape(parameters: CoreParameters) -> Shape:
    """The shape of one state of a relaxing population."""
    if parameters.has_signed_states:
        return signed(parameters.state_bits)
    return unsigned(parameters.state_bits)


def input_payload(parameters: CoreParameters) -> data.StructLayout:
    """One input: `value` at `index`, or with `dense` set at the index after the one before.

    Indices rise within an image; values left out are zero. `last` ends the image.
    """
    placement = parameters.input
    shape = signed(placement.state_bits) if placement.signed else unsigned(placement.state_bits)
    return data.StructLayout(
        {"value": shape, "index": unsigned(parameters.input_index_bits), "dense": 1, "last": 1}
    )


def command_payload(parameters: CoreParameters) -> data.StructLayout:
    """`command` is a `Command`; `label` is the class of a nudge.

    `report` asks for all states after the phase.
    """
    return data.StructLayout(
        {
            "command": unsigned(parameters.command_bits),
            "report": 1,
            "label": label_shape(parameters),
        }
    )


def label_shape(parameters: CoreParameters) -> Shape:
    """An output neuron's number, with one value to spare so that a wrong one shows."""
    return unsigned(parameters.classes.bit_length())


def load_payload(parameters: CoreParameters) -> data.StructLayout:
    """One word of a store, `lanes` weights wide; or one bias; or a limit; or a threshold.

    address: of the word in its store; of a bias the neuron's address, group * lanes + lane. A
    bias carries its rounding half. Each word replaces what was there, in any order. A word takes
    two cycles, and goes before a command that waits as well.
    """
    spaces = parameters.load_spaces
    address_bits = max(
        parameters.neuron_address_bits, *(index_bits(space.rows) for space in spaces)
    )
    return data.StructLayout(
        {
            "space": unsigned(parameters.space_bits),
            "address": unsigned(address_bits + 1),
            "data": unsigned(max(space.bits for space in spaces)),
        }
    )


def readback_payload(parameters: CoreParameters) -> data.StructLayout:
    """What the host asks a core that learns for: a word of a store, a bias latent or the generator.

    space, address: as of the load word that would set it.
    """
    load = load_payload(parameters)
    return data.StructLayout({"space": load["space"].shape, "address": load["address"].shape})


def readings_payload(parameters: CoreParameters) -> data.StructLayout:
    """The answer, a word as it would be loaded; but a row of a skewed store comes in lane order."""
    return data.StructLayout({"data": load_payload(parameters)["data"].shape})


def states_payload(parameters: CoreParameters) -> data.StructLayout:
    """One slice of final states; `slice` counts over populations in file order."""
    return data.StructLayout(
        {
            "phase": unsigned(parameters.command_bits),
            "slice": unsigned(parameters.slice_bits),
            "last": 1,
            "states": data.ArrayLayout(state_shape(parameters), parameters.update_lanes),
        }
    )


def summary_payload(parameters: CoreParameters) -> data.StructLayout:
    """What a phase came to; `docs/rtl.md` defines each counter.

    settled: 0 where the limit on sweeps ended the phase.
    """
    return data.StructLayout(
        {
            "phase": unsigned(parameters.command_bits),
            "settled": 1,
            "label": label_shape(parameters),
            "sweeps": unsigned(parameters.sweep_bits),
            "ticks": unsigned(parameters.counter_bits),
            "events": unsigned(parameters.counter_bits),
            "input_events": unsigned(
                min(parameters.sweep_bits, parameters.input.size.bit_length())
            ),
            "saturations": unsigned(parameters.counter_bits),
            "beats": unsigned(parameters.counter_bits),
            "cycles": unsigned(parameters.counter_bits),
        }
    )


def pack(layout: data.StructLayout, **fields: int) -> int:
    """The bits of a payload; fields left out are zero, fields too large are cut."""
    word = 0
    for name, value in fields.items():
        field = layout[name]
        word |= (value & ((1 << field.width) - 1)) << field.offset
    return word


def unpack(layout: data.StructLayout, word: int) -> dict[str, int]:
    """The fields of a payload as unsigned numbers."""
    return {name: (word >> field.offset) & ((1 << field.width) - 1) for name, field in layout}


def monitor_signature(parameters: CoreParameters) -> wiring.Signature:
    """One strobe per event as its walk begins; for test benches, free where unconnected.

    neuron: its address, group * lanes + lane over all populations; or the index of an input
    (`is_input`).
    sweep: from 1; 0 for unsent deltas of the free phase, which a lossy core delivers now.
    """
    bits = max(parameters.neuron_address_bits, parameters.input_index_bits)
    return wiring.Signature(
        {
            "strobe": Out(1),
            "is_input": Out(1),
            "neuron": Out(bits),
            "delta": Out(signed(parameters.delta_bits)),
            "sweep": Out(parameters.sweep_bits),
        }
    )


def source_of(payload: data.StructLayout) -> stream.Signature:
    """A stream of `payload`."""
    return stream.Signature(payload)

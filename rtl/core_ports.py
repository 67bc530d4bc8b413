"""The ports of a core, without the clock and what tests add (rtl/fault_port.py)."""

from amaranth.lib.wiring import In, Out

from toreq_hw.rtl.interfaces import (
    Fault,
    Members,
    command_payload,
    input_payload,
    load_payload,
    monitor_signature,
    source_of,
    states_payload,
    summary_payload,
)
from toreq_hw.rtl.learning.part import learning_ports
from toreq_hw.rtl.parameters import CoreParameters


def core_ports(parameters: CoreParameters) -> Members:
    """In their order."""
    return {
        "inputs": In(source_of(input_payload(parameters))),
        "commands": In(source_of(command_payload(parameters))),
        "loads": In(source_of(load_payload(parameters))),
        **learning_ports(parameters),
        "states": Out(source_of(states_payload(parameters))),
        "summary": Out(source_of(summary_payload(parameters))),
        "monitor": Out(monitor_signature(parameters)),
        "faults": Out(len(Fault)),
        "fault_count": Out(parameters.sweep_bits),
        "idle": Out(1),
    }

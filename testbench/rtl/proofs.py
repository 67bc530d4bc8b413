"""The list of proofs: each property, and what is broken in the copy that must fail each check."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from testbench.rtl.environment import BeatsKeepTheirWord, InputsComeOnce, LoadsAreWeights
from testbench.rtl.learning_properties import NothingLearnsOutsideLearn, StepsAreExact
from testbench.rtl.operands import OperandsAreExact, wide_network
from testbench.rtl.properties import Property, QueueKeepsEvents, StreamsStand
from testbench.rtl.sums import small_network
from testbench.rtl.update_property import FIRST_LEARN, UpdatesComeOnce
from toreq_hw.network import WeightFormat


@dataclass(frozen=True)
class Proof:
    """A property and its broken copies: check to (wire of the flat design, what it is tied to).

    cut: by check, wires that the solver drives instead of the core, which can only make a check
    harder to prove: what they carry does not matter to it. bounded: by check, how many cycles
    behind the reset it is shown for; the others hold for all time.
    """

    name: str
    make: Callable[[], Property]
    broken: dict[str, tuple[str, str]]
    cut: dict[str, tuple[str, ...]] = field(default_factory=dict)
    bounded: dict[str, int] = field(default_factory=dict)


_SUMS_AND_INPUTS = (
    r"\core.datapath.total0",
    r"\core.datapath.total1",
    r"\core.input_port.fifo.r_data",
    r"\core.input_port.fifo.r_rdy",
)
"""What neurons sum, and what the input brings."""

_RULED = (
    *(rf"\core.sequencer.{name}" for name in ("presents", "starts", "next_sweep", "ends")),
    *(rf"\core.walker.{name}" for name in ("take", "active", "group", "beat", "event_address")),
    *(rf"\core.datapath.updater.{name}" for name in ("write", "write_page", "written")),
    *(rf"\core.datapath.updater.{name}" for name in ("push", "row")),
    r"\writing",
    r"\saves",
)
"""All that the rules speak of, but for the memory of states: what is left has little but the rules
to stand on."""

_SENDS = r"\core.datapath.updater.sends"

PROOFS = (
    Proof(
        "queue",
        QueueKeepsEvents,
        {
            "repeats_nothing": (r"\queue.rest", "2'b11"),
            "keeps_the_delta": (r"\queue.read_index", "2'b00"),
            "drops_nothing": (r"\queue.write_index", "2'b00"),
            "never_stalls": (r"\queue.arriving", "1'b0"),
        },
    ),
    Proof(
        "streams",
        StreamsStand,
        {
            "states_stay_valid": (r"\core.readout.stalls", "1'b0"),
            "states_stand": (r"\core.readout.stalls", "1'b0"),
            "summary_stays_valid": (r"\core.sequencer.summary_valid", r"\inputs_valid"),
            "summary_stands": (r"\core.runs", "1'b1"),
        },
    ),
    Proof(
        "inputs",
        InputsComeOnce,
        {
            "inputs_come_once": (r"\port.next_index", "3'b000"),
            "inputs_are_states": (r"\port.event[7]", "1'b1"),
        },
    ),
    Proof(
        "loads",
        LoadsAreWeights,
        {"loads_are_weights": (r"\port.wrong_data", "1'b0")},
    ),
    *(
        Proof(
            name,
            partial(BeatsKeepTheirWord, threshold=threshold),
            {
                "weights_stand": (r"\core.sequencer._follows", "2'b01"),
                "one_nudge": (r"\core.sequencer.readout_op", "2'b10"),  # NUDGE for ever
                "one_image": (r"\core.sequencer._ending", "1'b0"),
                "one_beat": (r"\core.walker.last_walk", "1'b0"),
                "positive_states_stay": (r"\core.datapath.updater.write_page[1]", "1'b0"),
                "writes_are_steps": (
                    r"\core.datapath.read_request",
                    "1'b1",
                ),  # of another slice
                "events_arrive": (r"\core.queue.rest", "2'b11"),
                "copies_are_in_time": (r"\core.passes.last", "1'b1"),
                "deltas_lead_to_states": (r"\restoring", "1'b0"),
            },
            cut={
                "positive_states_stay": (
                    r"\core.sequencer._follows",
                ),  # NUDGE_NEGATIVE at any time
                "one_nudge": (
                    *_SUMS_AND_INPUTS,
                    r"\core.readout.state_d2",
                ),  # any states are nudged
                "writes_are_steps": _SUMS_AND_INPUTS,
                "events_arrive": _SUMS_AND_INPUTS,
                "copies_are_in_time": _SUMS_AND_INPUTS,
                "deltas_lead_to_states": _RULED if threshold is None else (*_RULED, _SENDS),
            },
        )
        for name, threshold in (("beats", None), ("beats lossy", 0))
    ),
    Proof(
        "steps",
        StepsAreExact,
        {
            "steps_are_exact": (r"\part.word0_1", "16'b0000000000000000"),
            "latents_keep_their_range": (r"\part.new0", "8'b10000000"),
        },
    ),
    Proof(
        "learning",
        NothingLearnsOutsideLearn,
        {
            "latents_stand": (r"\core.sequencer.learned", "1'b1"),
            "biases_stand": (r"\core.sequencer.learned", "1'b1"),
            "generator_stands": (r"\core.sequencer.learned", "1'b1"),
        },
        cut=dict.fromkeys(
            ("latents_stand", "biases_stand", "generator_stands"),
            (*_SUMS_AND_INPUTS, r"\core.learner.lanes.sum0", r"\core.datapath.state_d1"),
        ),
    ),
    *(
        Proof(
            f"updates {name}",
            partial(UpdatesComeOnce, number),
            {
                "updates_come_once": (r"\learner.place", "3'b000"),  # the list never ends
                "no_update_is_lost": (r"\learner.found_chunk[19]", "1'b0"),
            },
            bounded={"no_update_is_lost": FIRST_LEARN},
        )
        for number, name in enumerate(("of inputs", "of neurons"))
    ),
    *(
        Proof(
            f"operands {kind.value} {size}",
            partial(OperandsAreExact, network),
            {"operands_are_exact": (r"\part.is_single", "1'b0")},
        )
        for kind in WeightFormat
        for size, network in (("wide", wide_network(kind)), ("small", small_network(kind)))
    ),
)


@dataclass(frozen=True)
class Sums:
    """A k-induction over the sums. register: of a core with an accumulator register, in whose
    broken copy no sum of two or three beats ahead reaches a row; the others' has one bit fewer.
    """

    kind: WeightFormat
    register: bool

    @property
    def name(self) -> str:
        """As `--only` takes it."""
        return f"accumulators {self.kind.value}{' registered' if self.register else ''}"


SUMS = (
    *(Sums(kind, register=False) for kind in WeightFormat),
    Sums(WeightFormat.TERNARY, register=True),
)

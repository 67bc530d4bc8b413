"""The network vocabulary: what a network is, checked on construction and on load.

from toreq_hw import network
net = network.load("build/sim/network.safetensors")
net.population("hidden").size, net.couplings[0].weight.shape, net.sha256
"""

from toreq_hw.network.attention import attention
from toreq_hw.network.bounds import accumulator_bits, accumulator_range, nudge_limit
from toreq_hw.network.budget_rows import BudgetRows, causal_mask
from toreq_hw.network.budget_table import Normalisation
from toreq_hw.network.chain import layered
from toreq_hw.network.clamping import clamping, require_input_clamped
from toreq_hw.network.couplings import (
    MAX_FRACTION_BITS,
    ConvolutionCoupling,
    Coupling,
    DenseCoupling,
    Edges,
    FeedbackKind,
    OwnFeedback,
    SparseCoupling,
    WeightFormat,
)
from toreq_hw.network.description import Loop, Skip, build, load_description
from toreq_hw.network.encoding import Encoding
from toreq_hw.network.feedback import require_symmetric_feedback
from toreq_hw.network.file import load, save
from toreq_hw.network.network import Network
from toreq_hw.network.neuron_set import Block, Colour, NeuronSet
from toreq_hw.network.population import MAX_NEURONS, STATE_DTYPE, Population, Role
from toreq_hw.network.projection import Projection
from toreq_hw.network.readout import ClampedReadout, require_relaxing_output
from toreq_hw.network.schedule import Colouring, Schedule
from toreq_hw.network.split import Split, split_by_colour
from toreq_hw.network.states import check_classes, check_labels, check_starts, check_states
from toreq_hw.network.support import require_pairs, require_plain
from toreq_hw.network.sweep import Need, Pass, Sweep, require
from toreq_hw.network.term_colours import colour_by_terms
from toreq_hw.network.trilinear import TermShare, Trilinear

__all__ = [
    "MAX_FRACTION_BITS",
    "MAX_NEURONS",
    "STATE_DTYPE",
    "Block",
    "BudgetRows",
    "ClampedReadout",
    "Colour",
    "Colouring",
    "ConvolutionCoupling",
    "Coupling",
    "DenseCoupling",
    "Edges",
    "Encoding",
    "FeedbackKind",
    "Loop",
    "Need",
    "Network",
    "NeuronSet",
    "Normalisation",
    "OwnFeedback",
    "Pass",
    "Population",
    "Projection",
    "Role",
    "Schedule",
    "Skip",
    "SparseCoupling",
    "Split",
    "Sweep",
    "TermShare",
    "Trilinear",
    "WeightFormat",
    "accumulator_bits",
    "accumulator_range",
    "attention",
    "build",
    "causal_mask",
    "check_classes",
    "check_labels",
    "check_starts",
    "check_states",
    "clamping",
    "colour_by_terms",
    "layered",
    "load",
    "load_description",
    "nudge_limit",
    "require",
    "require_input_clamped",
    "require_pairs",
    "require_plain",
    "require_relaxing_output",
    "require_symmetric_feedback",
    "save",
    "split_by_colour",
]

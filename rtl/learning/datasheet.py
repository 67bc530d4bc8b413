"""What the datasheet of a core that learns says more."""

from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.rtl.learning.sizes import BIAS_LATENT_BITS
from toreq_hw.rtl.learning.tables import (
    DRAIN,
    HIGHEST_RATE,
    INPUT_ROW_CYCLES,
    LOWEST_RATE,
    READ_CYCLES,
    Learning,
    chunks_of,
)
from toreq_hw.rtl.learning.timing import most_learn_cycles, scan_cycles
from toreq_hw.rtl.load_spaces import LEARNING_SPACES, Space
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.storage import INPUT


def learning_section(parameters: CoreParameters) -> list[str]:
    """Markdown, part by part; nothing for a core that cannot learn."""
    learning = parameters.learning
    if learning is None:
        return []
    return [
        "## Learning",
        f"{learning.lanes} latents a beat of LEARN. At power-up the stores hold latents that stand "
        "for the network's weights; bias latents, rates, the generator and, in a ternary network, "
        "the threshold must be loaded before the first LEARN.",
        _rates(parameters, learning),
        _spaces(parameters),
        _cycles(parameters, learning),
    ]


def _rates(parameters: CoreParameters, learning: Learning) -> str:
    lines = [
        f"| rate | of | latent bits | word: k + dropped bits, {LOWEST_RATE}..{HIGHEST_RATE} |",
        "|---|---|---|---|",
    ]
    for number, coupling in enumerate(learning.couplings):
        bits = coupling.latent_bits
        lines.append(f"| {number} | {coupling.walk.coupling} | {bits} | k + {LATENT_BITS - bits} |")
    for number, placement in enumerate(parameters.relaxing, len(learning.couplings)):
        lines.append(f"| {number} | biases of {placement.name} | {BIAS_LATENT_BITS} | k |")
    return "\n".join(lines)


def _spaces(parameters: CoreParameters) -> str:
    """Load spaces of learning, and which can be read back."""
    lines = ["| space | number | words | bits a word | read back |", "|---|---|---|---|---|"]
    for space in parameters.load_spaces:
        if space.is_store or space.code in LEARNING_SPACES:
            name = f"WEIGHTS + {space.code}" if space.is_store else Space(space.code).name
            answer = "yes" if space.is_read_back else "no"
            lines.append(f"| {name} | {space.code} | {space.rows} | {space.bits} | {answer} |")
    return "\n".join(lines)


def _cycles(parameters: CoreParameters, learning: Learning) -> str:
    """The formula of rtl/learning/timing.py with this core's numbers."""
    lines = [
        "Cycles of LEARN (docs/rtl.md has the formula):",
        "",
        "- no neuron moved in a nudged phase: 1",
        f"- begin, scan, end: {1 + scan_cycles(parameters) + 1 + 1 + DRAIN}",
    ]
    for coupling in learning.couplings:
        walk, slots = coupling.walk, 1 + coupling.is_self
        chunks = chunks_of(parameters.relaxing[walk.target], learning.lanes)
        if walk.source == INPUT:
            text = f"1; if {_name(parameters, walk.target)} moved: 1, and for each input that is "
            text += f"not 0: {INPUT_ROW_CYCLES} + 1 a chunk that moved (at most {chunks})"
            if coupling.single_port:
                text += ", and what waits for the one port"
        else:
            source = parameters.relaxing[walk.source]
            fixed = (READ_CYCLES + 1) * parameters.slices_of(walk.source) + source.size
            text = f"1; if either end moved: {fixed}, and for each row: {slots} a chunk that is "
            text += f"not at 0 (at most {chunks}), 2 where the row moved"
        lines.append(f"- {walk.coupling}: {text}")
    lines.append(
        f"- biases of each population: 1; if it moved: 1 + {learning.lanes} a chunk that moved"
    )
    lines.append(f"- most: {most_learn_cycles(parameters)}")
    return "\n".join(lines)


def _name(parameters: CoreParameters, population: int) -> str:
    return parameters.relaxing[population].name

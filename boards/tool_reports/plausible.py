"""Logic that was optimised away leaves small, cheap-looking numbers: they are refused."""

from toreq_hw.errors import ReportError
from toreq_hw.records.design import Resources
from toreq_hw.rtl.parameters import CoreParameters


def check_plausible(
    parameters: CoreParameters, board_bits: tuple[int, int], used: Resources
) -> None:
    """Compares what a design takes with the least its parameters allow.

    board_bits: of a block RAM and of a single-port block. Every lane keeps one accumulator's
    worth of operand in flip-flops and adds it in as many tables. Raises ReportError.
    """
    lanes = f"{parameters.lanes} lanes of {parameters.accumulator_bits} bits"
    least = parameters.lanes * parameters.accumulator_bits
    for name, number in (("flip-flops", used.ff), ("LUT4", used.lut4)):
        if number < least:
            raise ReportError(
                f"{lanes} must take at least {least} {name}, found {number}: optimised away"
            )
    block, single = board_bits
    held = used.block_ram * block + used.spram * single + 16 * used.lut4
    weights = sum(spec.bits for spec in parameters.memories[: len(parameters.stores)])
    if held < weights:
        raise ReportError(
            f"weights of {weights} bits must be in memory, found room for {held} in the blocks used"
        )

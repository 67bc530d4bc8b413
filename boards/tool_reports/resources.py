"""One vocabulary for what a design takes of a device, whatever its tools call it."""

from typing import assert_never

from toreq_hw.boards.board import Family
from toreq_hw.boards.tool_reports.yosys_stat import Synthesis
from toreq_hw.errors import ReportError
from toreq_hw.records.design import Placement, Resources


def resources(family: Family, synthesis: Synthesis, placement: Placement) -> Resources:
    """Translates the tools' counts; raises ReportError where a type of cell is not reported."""
    used = placement.used

    def sites(name: str) -> int:
        if name not in used:
            raise ReportError(
                f"place and route for {family.value} must report {name}, found "
                f"{', '.join(sorted(used)) or 'nothing'}"
            )
        return used[name]

    match family:
        case Family.ICE40:
            return Resources(
                lut4=sites("ICESTORM_LC"),
                ff=synthesis.of("SB_DFF"),  # nextpnr packs them into ICESTORM_LC, counts no more
                block_ram=sites("ICESTORM_RAM"),
                spram=used.get("ICESTORM_SPRAM", 0),  # only UltraPlus has them, and the DSPs
                dsp=used.get("ICESTORM_DSP", 0),
            )
        case Family.ECP5:
            return Resources(
                lut4=sites("TRELLIS_COMB"),
                ff=sites("TRELLIS_FF"),
                block_ram=sites("DP16KD"),
                spram=0,
                dsp=sites("MULT18X18D"),
            )
        case Family.GOWIN:
            return Resources(
                lut4=sites("LUT4") + sites("ALU"),
                ff=sites("DFF"),
                block_ram=sites("BSRAM"),
                spram=0,
                dsp=sites("MULT18X18") + -(-sites("MULT9X9") // 2),
            )
        case _:
            assert_never(family)


def counted(family: Family, synthesis: Synthesis) -> Resources:
    """What Yosys alone says of the same, before anything is packed.

    lut4: at most what is taken at the end: packing adds tables that only pass a signal on, and
    (iCE40) lone flip-flops. A carry cell of ECP5 has two tables, a cell of its distributed memory
    eight with those that write it. Blocks and flip-flops stay as they are.
    """
    of = synthesis.of
    match family:
        case Family.ICE40:
            return Resources(
                lut4=of("SB_LUT4"),
                ff=of("SB_DFF"),
                block_ram=of("SB_RAM40"),
                spram=of("SB_SPRAM"),
                dsp=of("SB_MAC16"),
            )
        case Family.ECP5:
            return Resources(
                lut4=of("LUT4") + 2 * of("CCU2C") + 8 * of("TRELLIS_DPR16X4"),
                ff=of("TRELLIS_FF"),
                block_ram=of("DP16KD"),
                spram=0,
                dsp=of("MULT18X18D"),
            )
        case Family.GOWIN:
            return Resources(
                lut4=of("LUT") + of("ALU"),
                ff=of("DFF"),
                block_ram=of("DP", "SDP", "SP", "pROM"),
                spram=0,
                dsp=of("MULT18X18") + -(-of("MULT9X9") // 2),
            )
        case _:
            assert_never(family)

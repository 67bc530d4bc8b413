"""What a unit of activity costs on each device: the published figures, and how they are used.

No figure here was measured by this project. Each is a range with its source and the reason for
both ends; where no source was found, a device has none and its energy is absent.
"""

from collections.abc import Mapping

from toreq_hw.boards.devices import GW1NR_9, ICE40HX8K, ICE40UP5K, LFE5U_25F, LFE5U_85F
from toreq_hw.reading import shown
from toreq_hw.records.design import Capacity
from toreq_hw.records.energy import Coefficient, Coefficients


def coefficients(capacity: Capacity) -> Coefficients | str:
    """Of the device with this capacity, or one sentence that says why there are none."""
    device = f"a device of {shown(getattr(capacity, 'lut4', capacity))} LUT4"
    return _DEVICES.get(capacity, f"no source was looked for: {device} is none of the boards' here")


_UP5K = (
    "currents of an iCE40UP5K by supply, measured with a Joulescope JS110: README of "
    "github.com/tinyvision-ai-inc/ice40_power, core at 1.219 V"
)
_VOLT_UP5K = 1.219
_SHANG = (
    "Shang, Kaviani, Bathala, Dynamic power consumption in Virtex-II FPGA family, FPGA 2002, "
    "doi 10.1145/503048.503072, abstract"
)
_HOROWITZ = "Horowitz, Computing's energy problem, ISSCC 2014, table of energies in 45 nm at 0.9 V"


def _memory_bit(volts: float) -> Coefficient:
    """10 and 20 pJ for 64 bits out of a cache of 8 and of 32 KiB, at another voltage."""
    scale = (volts / 0.9) ** 2
    return Coefficient(
        10 / 64 * scale,
        20 / 64 * scale,
        "pJ",
        _HOROWITZ,
        "64 bits out of a cache of 8 KiB cost 10 pJ, of 32 KiB 20 pJ; times the square of the "
        f"voltage, {volts:g} V. Blocks of FPGAs hold 0.5 to 32 KiB and have other circuits",
    )


_COUNTERS_PJ = (641.3 - 613.5) * _VOLT_UP5K / 12
"""A cycle at 12 MHz of seven 28-bit counters more: 196 logic cells, 14 toggles."""

_MULTIPLIER_PJ = (996 - 645) * _VOLT_UP5K / 12
"""A cycle at 12 MHz of an 8 x 8 multiplier in logic cells, fed by two counters."""

_MULTIPLIER_TOGGLES = 2.977 + 3.461
"""Bits that change, on average, as 3 and 5 are added to counters of 8 bits."""

_PLL_CORE_UA = (1419 - 16 * (2029 - 1419) / 16, 2029 - 32 * (2573 - 2029) / 16)
"""The core's current with a running PLL, drawn down to 0 MHz from 16 and 32, and 32 and 48."""

_UP5K_CLOCK = Coefficient(
    (2573 - 2029) / 16 * _VOLT_UP5K,
    (2029 - 1419) / 16 * _VOLT_UP5K,
    "pJ",
    _UP5K,
    "rise of the core's current from 32 to 48 MHz and from 16 to 32 MHz with one 24-bit counter, "
    "times the voltage",
)
_UP5K_FLIP_FLOP = Coefficient(
    0.0,
    _COUNTERS_PJ / 196,
    "pJ",
    _UP5K,
    "a cycle of 196 more logic cells full of counters; low: all of it was toggles",
)
_UP5K_TOGGLE = Coefficient(
    _COUNTERS_PJ / 14,
    _MULTIPLIER_PJ / _MULTIPLIER_TOGGLES,
    "pJ",
    _UP5K,
    "low: a toggle in a counter, over short wires; high: a toggle that ripples through an 8 x 8 "
    "multiplier made of logic cells",
)

_VOLT_ICE40 = 1.2
_ICE40UP5K = Coefficients(
    fixed=Coefficient(
        (_PLL_CORE_UA[0] + 103.6) * _VOLT_UP5K / 1000,
        (_PLL_CORE_UA[1] + 138.9) * _VOLT_UP5K / 1000,
        "mW",
        _UP5K,
        "current of core and PLL with the PLL running, drawn down to 0 MHz over two ranges",
    ),
    clock=_UP5K_CLOCK,
    flip_flop=_UP5K_FLIP_FLOP,
    toggle=_UP5K_TOGGLE,
    memory_bit=_memory_bit(_VOLT_ICE40),
)

_HX8K_TO_UP5K = ICE40HX8K.lut4 / ICE40UP5K.lut4
_BORROWED = " (an iCE40UP5K's: the same logic cell in the same 40 nm; HX was not measured)"
_ICE40HX8K = Coefficients(
    fixed=Coefficient(
        0.160 * _VOLT_ICE40,
        (_PLL_CORE_UA[1] + 138.9) * _VOLT_ICE40 / 1000,
        "mW",
        f"SiliconBlue iCE40 LP data sheet 1.31, table 1; {_UP5K}",
        "low: an LP8K at 0 kHz, 160 uA; high: an iCE40UP5K whose PLL runs; an HX leaks more than "
        "either, no figure of which was read",
    ),
    clock=Coefficient(
        _UP5K_CLOCK.low,
        _UP5K_CLOCK.high * _HX8K_TO_UP5K,
        "pJ",
        _UP5K,
        "low: an UP5K's network; high: longer by the number of logic cells" + _BORROWED,
    ),
    flip_flop=Coefficient(
        _UP5K_FLIP_FLOP.low,
        _UP5K_FLIP_FLOP.high,
        "pJ",
        _UP5K,
        _UP5K_FLIP_FLOP.reason + _BORROWED,
    ),
    toggle=Coefficient(
        _UP5K_TOGGLE.low, _UP5K_TOGGLE.high, "pJ", _UP5K, _UP5K_TOGGLE.reason + _BORROWED
    ),
    memory_bit=_memory_bit(_VOLT_ICE40),
)

_VOLT_ECP5 = 1.1
_SHANG_LUT_PJ = 5.9 / 8
"""5.9 uW a MHz and CLB: 5.9 pJ a cycle for 8 tables and 8 flip-flops."""

_ECP5_SCALES = ((_VOLT_ECP5 / 1.5) ** 2 * 40 / 150, (_VOLT_ECP5 / 1.5) ** 2)
"""From 150 nm at 1.5 V to 40 nm at 1.1 V: capacitance shrinks with the feature, or not at all."""

_SCALED = (
    "; low: capacitance falls with the feature size, 150 to 40 nm; high: it does not; both with "
    "the square of the voltage, 1.5 to 1.1 V"
)


def _ecp5(capacity: Capacity, standby_ma: float) -> Coefficients:
    return Coefficients(
        fixed=Coefficient(
            standby_ma * _VOLT_ECP5,
            standby_ma * _VOLT_ECP5,
            "mW",
            "Lattice FPGA-DS-02012, standby current of the core supply, as quoted in "
            "github.com/butterstick-fpga/butterstick-hardware issue 2 (77 mA smallest, 212 mA 85F)",
            "one typical figure is published; PLL, auxiliary and I/O supplies are not in it",
        ),
        clock=Coefficient(
            0.0,
            _UP5K_CLOCK.high * capacity.lut4 / ICE40UP5K.lut4 * (_VOLT_ECP5 / _VOLT_UP5K) ** 2,
            "pJ",
            _UP5K,
            "low: all of the clock's cost is at the flip-flops; high: an UP5K's network, longer "
            "by the number of logic cells, at 1.1 V",
        ),
        flip_flop=Coefficient(
            0.14 * _SHANG_LUT_PJ * _ECP5_SCALES[0],
            0.14 * _SHANG_LUT_PJ * _ECP5_SCALES[1],
            "pJ",
            _SHANG,
            "14 % for clocking of 5.9 uW a MHz and CLB of 8 flip-flops" + _SCALED,
        ),
        toggle=Coefficient(
            0.76 * _SHANG_LUT_PJ / 0.125 * _ECP5_SCALES[0],
            0.76 * _SHANG_LUT_PJ / 0.125 * _ECP5_SCALES[1],
            "pJ",
            f"{_SHANG}; toggle rate of 12.5 %: default of AMD UG835, set_switching_activity",
            "76 % for routing and logic of 5.9 uW a MHz and CLB of 8 tables, at a toggle in every "
            "eighth cycle" + _SCALED,
        ),
        memory_bit=_memory_bit(_VOLT_ECP5),
    )


_DEVICES: Mapping[Capacity, Coefficients | str] = {
    ICE40UP5K: _ICE40UP5K,
    ICE40HX8K: _ICE40HX8K,
    LFE5U_25F: _ecp5(LFE5U_25F, 77),
    LFE5U_85F: _ecp5(LFE5U_85F, 212),
    GW1NR_9: "no source was found for the current of a GW1NR-9 at rest, nor for its activity",
}

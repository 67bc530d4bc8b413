"""Which device each synthesis target of an exported core is for."""

from collections.abc import Callable

from toreq_hw.errors import NetworkError
from toreq_hw.rtl.package.devices import Device, Devices
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.placement import LANES

Make = Callable[[int], CoreParameters]
"""The same core with so many lanes. Raises NetworkError where there is none."""


def devices_of(parameters: CoreParameters, make: Make) -> Devices:
    """iCE40UP5K, and the smallest ECP5 whose block RAM holds the core; the largest where none does.

    Raises MissingDependencyError where the extra `rtl` is not installed.
    """
    from toreq_hw.boards import devices
    from toreq_hw.boards.board import Family
    from toreq_hw.boards.fit.memories import blocks
    from toreq_hw.records.design import Capacity

    def needed(core: CoreParameters, family: Family) -> int:
        return sum(blocks(memory, family) for memory in core.memories)

    def lanes_for(family: Family, capacity: Capacity) -> list[int]:
        fitting = []
        for lanes in LANES:
            try:
                fits = needed(make(lanes), family) <= capacity.block_ram
            except NetworkError:  # no core has so few lanes for so many weights
                continue
            if fits and lanes != parameters.lanes:
                fitting.append(lanes)
        return fitting

    def device(family: Family, title: str, option: str, capacity: Capacity) -> Device:
        number = needed(parameters, family)
        fits = number <= capacity.block_ram
        return Device(
            title=title,
            option=option,
            needed=number,
            blocks=capacity.block_ram,
            block_bits=capacity.block_ram_bits,
            other_lanes=() if fits else lanes_for(family, capacity),
        )

    ice40 = device(Family.ICE40, "iCE40UP5K", "--up5k", devices.ICE40UP5K)
    ecp5 = device(Family.ECP5, "LFE5U-25F", "--25k", devices.LFE5U_25F)
    if not ecp5.fits:
        ecp5 = device(Family.ECP5, "LFE5U-85F", "--85k", devices.LFE5U_85F)
    return Devices(ice40, ecp5)

"""What the devices on the boards hold, each figure from its maker's data sheet."""

from toreq_hw.records.design import Capacity

ICE40UP5K = Capacity(
    lut4=5280,
    ff=5280,
    block_ram=30,
    block_ram_bits=4096,
    spram=4,
    spram_bits=262_144,
    dsp=8,
    source="Lattice FPGA-DS-02008, iCE40 UltraPlus family, table 2.1",
)
ICE40HX8K = Capacity(
    lut4=7680,
    ff=7680,
    block_ram=32,
    block_ram_bits=4096,
    spram=0,
    spram_bits=0,
    dsp=0,
    source="Lattice FPGA-DS-02029, iCE40 LP/HX family, table 1.1",
)
LFE5U_25F = Capacity(
    lut4=24_288,
    ff=24_288,
    block_ram=56,
    block_ram_bits=18_432,
    spram=0,
    spram_bits=0,
    dsp=28,
    source="Lattice FPGA-DS-02012, ECP5 family, table 1.1",
)
LFE5U_85F = Capacity(
    lut4=83_640,
    ff=83_640,
    block_ram=208,
    block_ram_bits=18_432,
    spram=0,
    spram_bits=0,
    dsp=156,
    source="Lattice FPGA-DS-02012, ECP5 family, table 1.1",
)
GW1NR_9 = Capacity(
    lut4=8640,
    ff=6480,
    block_ram=26,
    block_ram_bits=18_432,
    spram=0,
    spram_bits=0,
    dsp=20,
    source="Gowin DS117, GW1NR series, table 2-1",
)

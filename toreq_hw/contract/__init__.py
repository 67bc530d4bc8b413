"""What docs/numerics.md fixes for every machine, written once: pure functions and frozen types.

The simulator, rtl, quant and lava_backend take it from here and know nothing of each other.

Where rtl and what checks it meet. rtl takes constants from here that it puts into a core: the
rounding half added to each bias, the order of phases, limits. What a core computes with them (sums,
the rounding shift, clipping, the nudge) are gates of rtl alone. No gate is made by a function of
this package. The bench in testbench/rtl takes the expected states from the simulator. It writes
each constant that rtl took from here a second time. So no error in one of them is in both the core
and what it is compared with.
"""

"""The same arithmetic inside compiled code: one source, compiled by the numba of the caller.

A compiled function imports the functions from here; each is the Python function of `arithmetic`,
registered so that numba compiles it into its caller.
"""

from numba.extending import register_jitable

from toreq_hw.contract import arithmetic
from toreq_hw.network import fixed_point

nudge = register_jitable(fixed_point.nudge)
rounding_half = register_jitable(fixed_point.rounding_half)
round_shift = register_jitable(arithmetic.round_shift)
round_to_multiple = register_jitable(arithmetic.round_to_multiple)
wrap = register_jitable(arithmetic.wrap)
wrap32 = register_jitable(arithmetic.wrap32)
flip_bits = register_jitable(arithmetic.flip_bits)
flip_state = register_jitable(arithmetic.flip_state)

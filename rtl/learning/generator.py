"""xorshift32, the random words of learning: docs/numerics.md, section 6."""

from amaranth import Value


def next_state(state: Value) -> Value:
    """The state after `state`, which is the random word too; 32 bits."""
    for shift, left in ((13, True), (17, False), (5, True)):
        moved = (state << shift)[:32] if left else state >> shift
        state = (state ^ moved)[:32]
    return state

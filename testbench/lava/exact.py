"""What a neuromorphic run that is exact is found to be."""

from toreq_hw.records.deployment import Agreement

EXACT = Agreement(
    bit_exact=True,
    first_difference=None,
    differing_states=0,
    differing_ticks=0,
    differing_event_counts=0,
)

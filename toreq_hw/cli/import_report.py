"""What `toreq-hw import` says of the layers of an MLP: integers, states, what was compared."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toreq_hw.records.exchange import Carried


def describe(carried: "Sequence[Carried]") -> Iterator[str]:
    """Lines about each coupling; none for a network that came back as it was exported."""
    if carried:
        scale = carried[0].pre_scale
        yield f"  input: a state q stands for the value {scale:.9g} q of the graph"
    for one in carried:
        how = "same integers"
        if not one.exact:
            how = f"rounded, SQNR {one.sqnr_db:.1f} dB, {one.clipped_fraction:.2%} clipped"
        yield f"  {one.coupling}: {how}"
        found = [f"{one.states - one.ties - one.moved} equal"]
        if one.ties:
            found.append(f"{one.ties} at a rounding boundary, which differ by 1")
        if one.moved:
            found.append(f"{one.moved} moved by rounded weights, by at most {one.largest}")
        if one.lowest:
            found.append(f"{one.lowest} at the graph's lowest integer, which becomes the next one")
        yield f"    states compared with the graph's: {'; '.join(found)}"

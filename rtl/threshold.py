"""The threshold of a lossy core: which ones it can be given."""

from toreq_hw.errors import NetworkError
from toreq_hw.rtl.placement import PopulationPlacement, largest_move


def check_threshold(threshold: int | None, placements: tuple[PopulationPlacement, ...]) -> None:
    """Raises NetworkError where no state of `placements` can move further than a threshold is.

    threshold: None for a core without one.
    """
    if threshold is None:
        return
    highest = largest_move(placements)
    if not 0 <= threshold <= highest:
        raise NetworkError(
            f"threshold must be in 0..{highest} (the largest move of a state), not {threshold!r}"
        )

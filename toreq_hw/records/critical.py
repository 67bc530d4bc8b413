"""What hurts most: input lines, bits of couplings' words, and single stored bits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BitDamage:
    """Accuracy with `rate` of one bit of one coupling's words flipped; mean of `trials`."""

    coupling: str
    bit: int
    rate: float
    trials: int
    accuracy: float


@dataclass(frozen=True)
class SingleFlip:
    """One cell read wrongly, over a set of images. row, column: its word line and its bit line.

    before, after: the weight as stored and as read. distance: mean |difference| of all states over
    their range, from the undamaged equilibria. moved: images whose equilibrium differs at all.
    reclassified: whose class differs. correct: change in the number of right classes.
    """

    coupling: str
    row: int
    column: int
    bit: int
    before: int
    after: int
    distance: float
    moved: int
    reclassified: int
    correct: int


@dataclass(frozen=True)
class BitFlips:
    """All single flips of one bit of a coupling's words. Distances in per cent of the range of
    states: their mean, and their percentiles at `SingleFlips.quantiles`.

    unnoticed: flips that move no state of any image. reclassifying: that change a class.
    most_lost: right classes lost by the worst flip.
    """

    coupling: str
    bit: int
    flips: int
    mean_distance: float
    distance: tuple[float, ...]
    unnoticed: int
    reclassifying: int
    most_lost: int


@dataclass(frozen=True)
class SingleFlips:
    """Stored bits flipped one at a time, over `images` test images.

    exhaustive: every cell; else `cells` of them, drawn at random. worst: the flips that move
    states furthest. maps: by coupling, the distance in per cent that the worse bit of each cell
    causes, (rows, columns); none unless exhaustive.
    """

    images: int
    exhaustive: bool
    cells: int
    quantiles: tuple[int | float, ...]
    bits: tuple[BitFlips, ...]
    worst: tuple[SingleFlip, ...]
    maps: dict[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class Critical:
    """critical_lines: points of margin lost for each input line. critical_bits: one bit of one
    coupling's words damaged at a rate.
    """

    critical_lines: tuple[float, ...]
    critical_bits: tuple[BitDamage, ...]
    single_flips: SingleFlips

"""What a character of a text costs, by counts and by networks."""

from dataclasses import dataclass

from toreq_hw.records.intervals import Interval


@dataclass(frozen=True)
class NGram:
    """A model that looks at `order` characters. validation, test: bits a character."""

    order: int
    validation: float
    test: float


@dataclass(frozen=True, kw_only=True)
class TextRun:
    """One training. characters: that were learned, repeats among them. validation, test: bits a
    character. accuracy: fraction of test characters that are the likeliest. sweeps_mean: of the
    free phase. unsettled: test characters that did not settle. seconds: of learning, wall-clock.
    """

    case: str
    seed: int
    characters: int
    validation: float
    test: float
    accuracy: float
    sweeps_mean: float
    unsettled: int
    seconds: float
    network_sha256: str


@dataclass(frozen=True, kw_only=True)
class TextCase:
    """One network. test: bits a character over seeds, with an interval of 95 %."""

    name: str
    layers: str
    settings: str
    synapses: int
    test: Interval
    runs: tuple[TextRun, ...]


@dataclass(frozen=True)
class TextRecord:
    """data, split: the text and its parts. versions: of what made the record."""

    data: str
    split: str
    ngrams: tuple[NGram, ...]
    networks: tuple[TextCase, ...]
    versions: dict[str, str]

"""How far learning follows the gradient of the loss, coupling by coupling."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CouplingCosine:
    """Of one coupling, with a nudge of 2^-beta_shift.

    cosine: of the angle between the contrast and minus the gradient, None where one of them is 0.
    silent: share of the parameters with a gradient whose contrast is 0.
    """

    coupling: str
    beta_shift: int
    cosine: float | None
    silent: float


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """Of one network and a batch. asked: its samples. compared: those with a real-valued
    equilibrium. apart: how many of these have it more than 8 LSB from the integer one in some
    neuron. loss: mean of the compared: cross-entropy of a clamped output, else half the squared
    error in units of s_max. sweeps_mean: of the free phase of all. cosines: in file order.
    """

    asked: int
    compared: int
    apart: int
    loss: float
    sweeps_mean: float
    cosines: tuple[CouplingCosine, ...]


@dataclass(frozen=True, kw_only=True)
class Cosines(Alignment):
    """What `toreq-hw cosine` measures, on the first training samples of a data set."""

    data: str
    split: str
    network_sha256: str
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Snapshot(Alignment):
    """A network after some epochs of its training. accuracy: a fraction, of test samples; None
    before the first.
    """

    epoch: int
    accuracy: float | None


@dataclass(frozen=True, kw_only=True)
class GradientRun:
    """One training. feedback_shift: s between hidden layers. drive: g of the clamped readout."""

    case: str
    feedback_shift: int
    drive: int
    seed: int
    split: str
    snapshots: tuple[Snapshot, ...]


@dataclass(frozen=True, kw_only=True)
class GradientCase:
    """One network on one data set under several feedback shifts and drives."""

    name: str
    data: str
    layers: str
    settings: str
    runs: tuple[GradientRun, ...]


@dataclass(frozen=True)
class Gradients:
    """Every case. versions: of what made the record."""

    gradient_cases: tuple[GradientCase, ...]
    versions: dict[str, str]

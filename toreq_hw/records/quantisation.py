"""What quantising a float model after training costs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CouplingError:
    """What quantising one coupling does.

    clipped_fraction: of its weights, beyond the format. sqnr_db: of its weights; None where
    nothing is lost. accuracy_alone: of the float model with only this coupling quantised.
    """

    coupling: str
    fraction_bits: int
    clipped_fraction: float
    sqnr_db: float | None
    sparsity: float
    accuracy_alone: float


@dataclass(frozen=True)
class QuantisationReport:
    """accuracy_float: of the float model; accuracy_weights: all couplings quantised, states
    still real. What is lost from there to the network's own accuracy, its states lose.
    """

    couplings: tuple[CouplingError, ...]
    accuracy_float: float
    accuracy_weights: float
    float_sweeps: int


@dataclass(frozen=True)
class InputScaling:
    """The model takes (scale p - mean) / std for pixels p over 0..1."""

    scale: float
    mean: float
    std: float


@dataclass(frozen=True)
class Quantised(QuantisationReport):
    """What `toreq-hw quantize --json` writes. accuracy_fed_forward: of an MLP before its layers
    were joined both ways, None for an equilibrium model. accuracy: of the network.
    """

    accuracy_fed_forward: float | None
    accuracy: float
    data: str
    split: str
    weights: str
    state_bits: int
    input_bits: int
    input_range: InputScaling
    warnings: tuple[str, ...]
    network_sha256: str
    versions: dict[str, str]

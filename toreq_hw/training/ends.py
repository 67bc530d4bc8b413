"""Whether a network and a data set fit each other, and whose recipe a network is trained by."""

from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network, WeightFormat


def check_ends(found: Network, what: str, dataset: Dataset) -> None:
    """Raises InputError where inputs and outputs of the network `what` are not the data set's.

    So it does where the network does not name as many classes as a sample has labels.
    """
    sizes = (found.input.size, found.output.size)
    if sizes != (dataset.pixels, dataset.outputs):
        raise InputError(
            f"{what}: must have {dataset.pixels} inputs and {dataset.outputs} outputs for "
            f"{dataset.name}, found {sizes[0]} and {sizes[1]}"
        )
    check_rows(1 if found.readout is None else found.readout.rows, what, dataset)


def check_rows(rows: int, what: str, dataset: Dataset) -> None:
    """Raises InputError where `what` does not name as many classes as a sample has labels."""
    if rows != dataset.rows:
        raise InputError(
            f"{what}: must have a clamped readout of {dataset.rows} rows for {dataset.name}, "
            f"found {rows}"
        )


def weight_format_of(start: Network) -> WeightFormat:
    """Whose recipe a starting network is trained by: ternary where all its couplings are."""
    ternary = all(c.weight_format is WeightFormat.TERNARY for c in start.couplings)
    return WeightFormat.TERNARY if ternary else WeightFormat.INT8

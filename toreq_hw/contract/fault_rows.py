"""The rows of a fault map, checked: types, ranges, one row a place, names that exist."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from toreq_hw.contract.faults import ACCUMULATOR_BITS, FAULTS, FIRST_TICK, LAST_TICK, fault_bits
from toreq_hw.contract.learning import LATENT_BITS
from toreq_hw.contract.operations import message_bits
from toreq_hw.errors import InputError
from toreq_hw.network import Coupling, DenseCoupling, Network, Population, WeightFormat
from toreq_hw.network.population import MAX_STATE_BITS
from toreq_hw.reading import integer, shown, text

Row = tuple[Any, ...]

COLUMNS = {
    "weights": ("coupling", "row", "column", "word"),
    "parameters": ("coupling", "parameter", "word"),
    "latents": ("coupling", "row", "column", "at_zero", "at_one"),
    "stuck": ("population", "neuron", "state"),
    "inverted": ("population", "neuron", "mask"),
    "messages": ("population", "neuron", "mask"),
    "frozen": ("colour", "tick"),
    "states": ("sample", "population", "neuron", "state"),
    "faults": ("sample", "tick", "population", "neuron", "fault", "bit"),
}
"""Entries of a map and the columns of their rows (docs/robustness.md, "Fault maps")."""

_PLACE = {
    "weights": 3,
    "parameters": 2,
    "latents": 3,
    "stuck": 2,
    "inverted": 2,
    "messages": 2,
    "frozen": 1,
    "states": 3,
}
"""Leading columns that say where: two rows of one place contradict each other. Faults may happen
one place more than once."""

_TEXTS = ("coupling", "population", "fault")
_NUMBERED = (0, (1 << 31) - 1)

_RANGES = {
    "tick": (FIRST_TICK, LAST_TICK),
    "word": (-WeightFormat.INT8.limit, WeightFormat.INT8.limit),
    "state": (1 - (1 << MAX_STATE_BITS - 1), (1 << MAX_STATE_BITS) - 1),
    "mask": (0, (2 << MAX_STATE_BITS) - 1),
    "at_zero": (0, (1 << LATENT_BITS) - 1),
    "at_one": (0, (1 << LATENT_BITS) - 1),
    "bit": (0, ACCUMULATOR_BITS - 1),
}
"""Lowest and highest value of a column in the map of any network; of others `_NUMBERED`."""


def plain_rows(name: str, rows: Iterable[Any]) -> tuple[Row, ...]:
    """The rows of entry `name` as tuples of text and int, whatever the network.

    Raises InputError naming the row: wrong length or types, a number that no network has, a place
    listed twice.
    """
    if isinstance(rows, str | bytes | Mapping) or not isinstance(rows, Iterable):
        raise InputError(f"{name} must be a list of rows, found {shown(rows)}")
    columns = COLUMNS[name]
    found: list[Row] = []
    places: set[Row] = set()
    for k, row in enumerate(rows):
        what = f"{name}[{k}]"
        if not isinstance(row, list | tuple) or len(row) != len(columns):
            raise InputError(f"{what} must be a row of {', '.join(columns)}, found {shown(row)}")
        for column, value in zip(columns, row, strict=True):
            if column in _TEXTS:
                text(value, f"{what}: {column}", InputError)
            else:
                low, high = _RANGES.get(column, _NUMBERED)
                integer(value, low, high, f"{what}: {column}", InputError)
        if name in _PLACE:
            place = tuple(row[: _PLACE[name]])
            if place in places:
                raise InputError(f"{what} must be of a place not listed yet, found {shown(row)}")
            places.add(place)
        found.append(tuple(row))
    return tuple(found)


def check_rows(entries: Mapping[str, Sequence[Row]], samples: int, network: Network) -> None:
    """Raises InputError naming the first row that does not fit `network` or `samples`.

    entries: what `plain_rows` returned, by entry.
    """
    check = _Check(network, samples)
    both = {row[0] for row in entries["weights"]} & {row[0] for row in entries["parameters"]}
    if both:
        raise InputError(
            f"parameters must be of couplings without rows in weights, found {shown(min(both))}"
        )
    for name, rows in entries.items():
        for k, row in enumerate(rows):
            check.row(f"{name}[{k}]", name, dict(zip(COLUMNS[name], row, strict=True)))
    for k, (coupling, row, column, at_zero, at_one) in enumerate(entries["latents"]):
        if at_zero & at_one or not at_zero | at_one:
            raise InputError(
                f"latents[{k}]: bits must be stuck at 0 or at 1, one of them at least, found masks "
                f"{at_zero} and {at_one}"
            )
        if check.couplings[coupling].is_self_coupling and row >= column:
            raise InputError(
                f"latents[{k}]: a self-coupling must list cells right of its diagonal, found "
                f"[{row}, {column}]"
            )
    words = {row[:3]: row[3] for row in entries["weights"]}
    for k, (coupling, row, column, word) in enumerate(entries["weights"]):
        if check.couplings[coupling].is_self_coupling:
            mirror = words.get((coupling, column, row))
            if mirror != word:
                raise InputError(
                    f"weights[{k}]: a self-coupling must list both mirrors alike, found {word} at "
                    f"[{row}, {column}] and {mirror} at [{column}, {row}]"
                )


class _Check:
    """Ranges of one network."""

    def __init__(self, network: Network, samples: int) -> None:
        self.couplings = {c.name: c for c in network.dense_couplings}
        self._stored = {c.name: c for c in network.couplings}
        self._dense = {k: c for k, c in self._stored.items() if isinstance(c, DenseCoupling)}
        self._populations = {p.name: p for p in network.relaxing}
        self._colours = len(network.colours)
        self._samples = samples

    def row(self, what: str, name: str, values: Mapping[str, Any]) -> None:
        """Every column in its range."""
        for column, (low, high) in self._ranges(what, name, values).items():
            integer(values[column], low, high, f"{what}: {column}", InputError)

    def _ranges(
        self, what: str, name: str, values: Mapping[str, Any]
    ) -> dict[str, tuple[int, int]]:
        """Lowest and highest value of the columns that hold numbers, but ticks."""
        if name == "frozen":
            return {"colour": (0, self._colours - 1)}
        if name in ("weights", "latents"):
            known = self.couplings if name == "weights" else self._dense
            coupling: DenseCoupling = _look_up(known, values["coupling"], f"{what}: coupling")
            rows, columns = coupling.weight.shape
            limit = coupling.weight_format.limit
            ranges = {"row": (0, rows - 1), "column": (0, columns - 1)}
            return ranges | ({"word": (-limit, limit)} if name == "weights" else {})
        if name == "parameters":
            stored: Coupling = _look_up(self._stored, values["coupling"], f"{what}: coupling")
            if isinstance(stored, DenseCoupling):
                raise InputError(
                    f"{what}: coupling must be of a kind with parameters of its own, found "
                    f"{shown(stored.name)}, whose cells are rows of weights"
                )
            limit = stored.weight_format.limit
            return {"parameter": (0, stored.parameters.size - 1), "word": (-limit, limit)}
        population: Population = _look_up(
            self._populations, values["population"], f"{what}: population"
        )
        ranges = {"neuron": (0, population.size - 1)}
        if "sample" in values:
            ranges["sample"] = (0, self._samples - 1)
        if "state" in values:
            ranges["state"] = (population.state_min, population.state_max)
        if "mask" in values:
            messages = name == "messages"
            bits = message_bits(population) if messages else population.state_bits
            ranges["mask"] = (0, (1 << bits) - 1)
        if "fault" in values:
            fault = _look_up(FAULTS, values["fault"], f"{what}: fault")
            ranges["bit"] = (0, fault_bits(fault, population) - 1)
        return ranges


def _look_up(known: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in known:
        raise InputError(f"{what} must be one of {', '.join(known)}, found {shown(name)}")
    return known[name]

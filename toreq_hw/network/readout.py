"""The clamped readout: an output that never updates and learns by cross-entropy.

docs/numerics.md, sections 2, 5 and 6. The other readout, relaxing, has no settings: `None` stands
for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError, ToreqError
from toreq_hw.json_values import FileEntry
from toreq_hw.network.budget_table import Normalisation, check_normalisation, table_of
from toreq_hw.network.population import MAX_NEURONS, Population, Role
from toreq_hw.reading import Fields, shown
from toreq_hw.suggestions import none_of

if TYPE_CHECKING:
    from toreq_hw.network.network import Network


READOUTS = ("relaxing", "clamped")
"""Kinds of readout."""


@named_type_errors
@dataclass(frozen=True)
class ClampedReadout:
    """temperature: numerator and denominator of T, whole numbers of at least 1.

    normalisation: of the row of class probabilities that the error is taken from. rows: equal parts
    of the output, each with a class of its own.
    Raises NetworkError.
    """

    temperature: tuple[int, int] = (1, 8)
    normalisation: Normalisation = Normalisation.SOFTMAX
    rows: int = 1

    def __post_init__(self) -> None:
        if isinstance(self.temperature, list):
            object.__setattr__(self, "temperature", tuple(self.temperature))
        check_normalisation("a readout", self.temperature, self.normalisation)
        if type(self.rows) is not int or not 1 <= self.rows <= MAX_NEURONS:
            raise NetworkError(
                f"rows of a readout must be an integer in 1..{MAX_NEURONS}, not {shown(self.rows)}"
            )

    def describe(self) -> FileEntry:
        """Its entry in a network file."""
        return {
            "kind": "clamped",
            "temperature": list(self.temperature),
            "normalisation": self.normalisation.value,
            **({"rows": self.rows} if self.rows > 1 else {}),
        }

    def format_of(self, output: Population) -> Population:
        """An output of 8 signed bits, whatever the states of the others are: A is 127."""
        return replace(output, state_bits=8, signed=True)

    def table(self, network: "Network") -> tuple[int, ...]:
        """Thresholds of the row of class probabilities. Raises NetworkError.

        One unit of the exponent is T S 2^F: S the s_max of the first population that is coupled
        to the output, F the output's accumulator fraction bits.
        """
        output = network.output
        source = network.into(output.name)[0].source
        unit = source.state_max << network.accumulator_fraction_bits(output.name)
        try:
            return table_of(self.normalisation, self.temperature, unit, output.state_max)
        except NetworkError as error:
            top, bottom = self.temperature
            raise NetworkError(
                f"readout of {shown(output.name)}: {error}; use another temperature than "
                f"{top}/{bottom}, or other fraction bits"
            ) from error


Readout: TypeAlias = ClampedReadout | Mapping[str, Any] | str | None
"""What `readout_named` takes."""


def readout_named(given: Readout) -> ClampedReadout | None:
    """A readout in words: its kind, or the entry of a network file. None is relaxing.

    "clamped" is the default `ClampedReadout`. Raises NetworkError for other words.
    """
    if given is None or isinstance(given, ClampedReadout):
        return given
    if isinstance(given, str):
        if given not in READOUTS:
            raise NetworkError(none_of("readout", given, READOUTS))
        return ClampedReadout() if given == "clamped" else None
    return readout_from(Fields({"readout": dict(given)}, "", NetworkError))


def readout_from(fields: Fields) -> ClampedReadout | None:
    """The readout that a description states; None for a relaxing one. Raises the fields' error."""
    if "readout" not in fields:
        return None
    entry = fields.part("readout")
    kind = entry.text("kind")
    if kind == "relaxing":
        return None
    if kind != "clamped":
        raise entry.error("kind", "be 'relaxing' or 'clamped'", kind)
    entry.only(("kind", "temperature", "normalisation", "rows"))
    temperature = entry.items("temperature")
    return ClampedReadout(
        temperature=tuple(temperature),
        normalisation=entry.choice("normalisation", Normalisation),
        rows=entry.integer("rows") if "rows" in entry else 1,
    )


def check_readout(network: "Network") -> None:
    """Raises NetworkError where an output cannot be read out as the network says."""
    readout, output = network.readout, network.output
    if readout is None:
        return
    if not isinstance(readout, ClampedReadout):
        raise NetworkError(f"readout must be a ClampedReadout or None, not {shown(readout)}")
    where = f"population {shown(output.name)}: a clamped output must"
    if not output.signed:
        raise NetworkError(f"{where} have signed states, because it sends errors")
    away = [c.name for c in network.couplings if c.pre == output.name]
    if away:
        raise NetworkError(f"{where} be the post of its couplings, found {shown(away[0])}")
    if not network.into(output.name):
        raise NetworkError(f"{where} have a coupling, found none")
    if not any(p.role is Role.HIDDEN for p in network.populations):
        raise NetworkError(f"{where} stand beside a hidden population, found none")
    if output.size % readout.rows:
        raise NetworkError(f"{where} have {readout.rows} rows of equal size, found {output.size}")
    _ = network.budget_table


RELAXING_INSTEAD = (
    "train one with readout relaxing (estimators and build: readout='relaxing'; toreq-hw train: "
    "without --readout clamped), or run this one in the simulator"
)
"""What to do about a clamped readout in a reader that has none, from Python and as a command."""


def require_relaxing_output(
    network: "Network", where: str, error: type[ToreqError] = NetworkError
) -> None:
    """Raises `error` for a clamped readout, in a reader that has none; where: "on nengo"."""
    if network.readout is not None:
        raise error(
            f"population {shown(network.output.name)}: readout must be relaxing {where}, found "
            f"clamped; {RELAXING_INSTEAD}"
        )

"""The network file: `.safetensors`, so that no code runs on load.

Tensors `<coupling>.weight` (int8) and `<population>.bias` (int32), and what else the kind of a
coupling needs; one metadata entry, `network`, holds JSON: format, version, the description, and
the SHA-256 of the content. The version is the lowest that has all that the network says.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw.argument_types import named_type_errors
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.files import replacing
from toreq_hw.json_values import JsonObject
from toreq_hw.network.budget_rows import budget_rows_from
from toreq_hw.network.clamping import require_input_clamped
from toreq_hw.network.couplings import KINDS, Coupling, FeedbackKind, OwnFeedback
from toreq_hw.network.encoding import encoding_from
from toreq_hw.network.feedback import MAX_SHIFT
from toreq_hw.network.network import Network
from toreq_hw.network.population import MAX_NEURONS, Population, Role
from toreq_hw.network.readout import readout_from
from toreq_hw.network.schedule import COLOURING, Colouring, Schedule
from toreq_hw.network.sweep import Need, require
from toreq_hw.network.trilinear import trilinear_from
from toreq_hw.reading import Fields, checked_array, parse_json, read_tensors, shown
from toreq_hw.tensor_file import tensor_bytes

FORMAT = "toreq-hw network"

_MAX_FILE_BYTES = 1 << 32
"""A network of 4 GB is far above anything the engines take; refuse before reading it."""

VERSIONS = (1, 2)
"""Versions that are read; a file is written in the lowest that can hold its network."""

MAX_PARTS = 1024
"""Populations, and couplings, of a file; some checks take the square of their number in time."""


@named_type_errors
def save(network: Network, path: str | Path, *, run: str | None = None) -> None:
    """Writes `network` to `path` (.safetensors) in one step; equal networks give equal bytes.

    run: names the run that made it, for whoever would write over it; readers do not look at it.
    Raises OutputError where the folder cannot be written to.
    """
    stated = header(network) if run is None else {**header(network), "run": run}
    metadata = {"network": json.dumps(stated)}
    content = tensor_bytes(network.tensors(), metadata)
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(content)


@named_type_errors
def header(network: Network) -> JsonObject:
    """What a file says beside the tensors: format, version, description, SHA-256.

    Raises NetworkError for a colouring that updates a neuron twice, which no file can hold.
    """
    require_input_clamped(network, "in a network file")
    require(network.sweep, "in a network file", Need.STORED)
    description = {"format": FORMAT, "version": network.file_version, **network.describe()}
    return {**description, "sha256": network.sha256}


@named_type_errors
def load(path: str | Path) -> Network:
    """Reads and checks a network file.

    Raises NetworkFileError, naming the file, for anything that is not exactly a network of
    this version: cut or tampered files, wrong shapes, dtypes or ranges, unknown names.
    """
    path = Path(path)
    tensors = read_tensors(path, _MAX_FILE_BYTES, NetworkFileError)
    if "network" not in tensors.metadata:
        raise NetworkFileError(f"{path}: metadata must have an entry 'network', found none")
    where = f"{path}: metadata 'network'"
    header = parse_json(tensors.metadata["network"], where, NetworkFileError)
    try:
        network = from_header(header, tensors.arrays)
    except (NetworkError, NetworkFileError) as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return network


def from_header(header: object, tensors: dict[str, npt.NDArray[Any]]) -> Network:
    """The network that a header and its tensors describe, checked; the inverse of `header`.

    Raises NetworkError or NetworkFileError for anything that is not exactly a network of this
    version. The same where the content has not the SHA-256 that the header states.
    """
    fields = Fields(header, "", NetworkFileError, "network.")
    if fields.text("format") != FORMAT:
        raise fields.error("format", f"be {FORMAT!r}", fields.text("format"))
    version = fields.integer("version")
    if version not in VERSIONS:
        must = " or ".join(str(one) for one in VERSIONS)
        raise fields.error("version", f"be {must} (a newer toreq_hw may read it)", version)
    network = network_from(header, tensors)
    _check_version(network, version)
    promised = fields.text("sha256") if "sha256" in fields else network.sha256
    if promised != network.sha256:
        raise NetworkFileError(
            f"content must have the SHA-256 {promised:.64} that the file states, "
            f"found {network.sha256}"
        )
    return network


def _check_version(network: Network, version: int) -> None:
    """Raises NetworkFileError for what a file of a lower version could not hold."""
    for what, first in (
        *((f"shape of population {p.name!r}", 2 if p.shape else 1) for p in network.populations),
        *((f"rows of population {p.name!r}", p.file_version) for p in network.populations),
        *((f"coupling {c.name!r}: kind {c.kind}", c.file_version) for c in network.couplings),
        *((_feedback_of(c), c.needed_version) for c in network.couplings),
        (f"schedule {network.sweep.name}", network.sweep.file_version),
        ("a clamped readout", 1 if network.readout is None else 2),
        *((f"term {term.name!r}", 2) for term in network.terms),
        ("an encoding", 1 if network.encoding is None else 2),
    ):
        if first > version:
            raise NetworkFileError(
                f"{what} must be in a file of version {first}, found version {version}"
            )


def _feedback_of(coupling: Coupling) -> str:
    setting = "feedback_shift" if coupling.feedback_shift else "feedback"
    return f"coupling {coupling.name!r}: {setting}"


def network_from(description: object, tensors: dict[str, npt.NDArray[Any]]) -> Network:
    """The network that a description (`Network.describe`) and its tensors make.

    Raises NetworkFileError or NetworkError for anything that is missing, unknown or wrong. Tensors
    have the shapes of `Network.tensors`.
    """
    fields = Fields(description, "", NetworkFileError, "network.")
    populations = tuple(population_from(entry) for entry in _few(fields, "populations"))
    neurons = sum(population.size for population in populations)
    if neurons > MAX_NEURONS:
        raise NetworkFileError(
            f"populations must have at most {MAX_NEURONS} neurons, not {neurons}"
        )
    couplings = tuple(_coupling(entry, tensors) for entry in _few(fields, "couplings"))
    biases = {n.removesuffix(".bias"): t for n, t in tensors.items() if n.endswith(".bias")}
    expected = {name for c in couplings for name in c.tensors()} | {f"{n}.bias" for n in biases}
    readout = readout_from(fields)
    standing = (Role.INPUT,) if readout is None else (Role.INPUT, Role.OUTPUT)
    updating = [p for p in populations if p.role not in standing]
    schedule = _schedule(fields, updating, tensors)
    if isinstance(schedule, Colouring):
        expected |= {f"{p.name}.colour" for p in updating}
    for name in tensors:
        if name not in expected:
            raise NetworkFileError(f"tensor {shown(name)}: must belong to a coupling or population")
    return Network(
        populations=populations,
        couplings=couplings,
        biases=biases,
        schedule=schedule,
        beta_shift=fields.part("nudge").integer("beta_shift"),
        readout=readout,
        terms=tuple(trilinear_from(e) for e in _few(fields, "terms")) if "terms" in fields else (),
        encoding=encoding_from(fields),
    )


def _schedule(
    fields: Fields, updating: Sequence[Population], tensors: dict[str, npt.NDArray[Any]]
) -> Schedule | Colouring:
    if fields.value("schedule") != COLOURING:
        return fields.choice("schedule", Schedule)
    found = {}
    for population in updating:
        name = f"{population.name}.colour"
        found[population.name] = checked_array(
            tensors, name, np.int32, (population.size,), "schedule", NetworkFileError
        )
    return Colouring.of(found)


def _few(fields: Fields, name: str) -> list[Fields]:
    """The objects in a list that is checked against MAX_PARTS before it is walked."""
    if len(fields.items(name)) > MAX_PARTS:
        raise fields.error(name, f"have at most {MAX_PARTS} entries", len(fields.items(name)))
    return fields.parts(name)


def population_from(entry: Fields) -> Population:
    """The population of an entry. Raises NetworkError, or the error of `entry`."""
    return Population(
        name=entry.text("name"),
        size=entry.integer("size"),
        role=entry.choice("role", Role),
        state_bits=entry.integer("state_bits"),
        signed=entry.flag("signed"),
        shape=tuple(entry.integers("shape", 1, MAX_NEURONS)) if "shape" in entry else (),
        bias_per_channel="bias_per_channel" in entry and entry.flag("bias_per_channel"),
        rows=budget_rows_from(entry.part("rows")) if "rows" in entry else None,
    )


def kind_of(entry: Fields) -> type[Coupling]:
    """The kind that a coupling's entry names. Raises the error of `entry` for an unknown one."""
    kind = KINDS.get(entry.text("kind"))
    if kind is None:
        known = " or ".join(repr(name) for name in KINDS)
        raise entry.error("kind", f"be {known}", entry.text("kind"))
    return kind


def _coupling(entry: Fields, tensors: dict[str, npt.NDArray[Any]]) -> Coupling:
    kind = kind_of(entry)
    stem = f"{entry.text('pre')}-{entry.text('post')}."
    own = {n.removeprefix(stem): tensor for n, tensor in tensors.items() if n.startswith(stem)}
    if "weight" not in own:
        raise NetworkFileError(f"tensor {shown(stem + 'weight')}: must be in the file, found none")
    made = kind.from_file(entry, own)
    if "feedback_shift" in entry:
        shift = entry.integer("feedback_shift", -MAX_SHIFT, MAX_SHIFT)
        made = replace(made, feedback_shift=shift)
    feedback = FeedbackKind.SYMMETRIC
    if "feedback" in entry:
        feedback = entry.choice("feedback", FeedbackKind)
    if feedback is FeedbackKind.SYMMETRIC:
        return made
    shape = made.parameters.shape
    weight = checked_array(
        tensors, f"{stem}feedback", np.int8, shape, f"coupling {made.name!r}", NetworkFileError
    )
    return replace(made, own_feedback=OwnFeedback(weight, feedback is FeedbackKind.LEARNED))

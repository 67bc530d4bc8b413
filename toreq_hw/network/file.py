"""The network file: `.safetensors`, so that no code runs on load.

Tensors `<coupling>.weight` (int8) and `<population>.bias` (int32); one metadata entry,
`network`, holds JSON: format, version, the description, and the SHA-256 of the content.
"""

import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save as to_safetensors

from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.files import replacing
from toreq_hw.memory import check_memory
from toreq_hw.network.coupling import Coupling, WeightFormat
from toreq_hw.network.network import Network
from toreq_hw.network.population import Population, Role
from toreq_hw.network.schedule import Schedule

FORMAT = "toreq-hw network"
VERSION = 1

_MAX_FILE_BYTES = 1 << 32
"""A network of 4 GB is far above anything the engines take; refuse before reading it."""

_T = TypeVar("_T")


def save(network: Network, path: str | Path) -> None:
    """Writes `network` to `path` (.safetensors) in one step; equal networks give equal bytes.

    Raises OutputError where the folder cannot be written to.
    """
    metadata = {"network": json.dumps(header(network))}
    content = to_safetensors(network.tensors(), metadata=metadata)
    with replacing(Path(path)) as temporary:
        temporary.write_bytes(content)


def header(network: Network) -> dict[str, Any]:
    """What a file says beside the tensors: format, version, description, SHA-256."""
    description = {"format": FORMAT, "version": VERSION, **network.describe()}
    return {**description, "sha256": network.sha256}


def load(path: str | Path) -> Network:
    """Reads and checks a network file.

    Raises NetworkFileError, naming the file, for anything that is not exactly a network of
    this version: cut or tampered files, wrong shapes, dtypes or ranges, unknown names.
    """
    path = Path(path)
    try:
        network = from_header(*_read(path))
    except (NetworkError, NetworkFileError) as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return network


def from_header(header: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Network:
    """The network that a header and its tensors describe, checked; the inverse of `header`.

    Raises NetworkError or NetworkFileError for anything that is not exactly a network of this
    version, and where the content has not the SHA-256 that the header states.
    """
    _check_version(header)
    network = network_from(header, tensors)
    promised = header.get("sha256", network.sha256)
    if promised != network.sha256:
        raise NetworkFileError(
            f"content must have the SHA-256 {promised} that the file states, found {network.sha256}"
        )
    return network


def _read(path: Path) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise NetworkFileError(f"file must be at most {_MAX_FILE_BYTES} bytes, not {size}")
        check_memory(4 * size, str(path))
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        reason = error.strerror or str(error)
        raise NetworkFileError(f"must be a readable network file, found: {reason}") from error
    except (SafetensorError, TypeError, ValueError, AttributeError) as error:
        raise NetworkFileError(f"must be a whole safetensors file, found: {error}") from error
    try:
        header = json.loads(metadata["network"])
    except KeyError:
        raise NetworkFileError("metadata must have an entry 'network', found none") from None
    except (ValueError, RecursionError) as error:
        raise NetworkFileError(f"metadata 'network' must be JSON, found: {error}") from error
    if not isinstance(header, dict):
        raise NetworkFileError(f"metadata 'network' must be a JSON object, not {header!r:.60}")
    return header, tensors


def _check_version(header: dict[str, Any]) -> None:
    if header.get("format") != FORMAT:
        raise NetworkFileError(f"format must be {FORMAT!r}, not {header.get('format')!r:.60}")
    if header.get("version") != VERSION:
        raise NetworkFileError(
            f"version must be {VERSION}, not {header.get('version')!r:.60}; "
            "a newer toreq_hw may read it"
        )


def network_from(header: dict[str, Any], tensors: dict[str, npt.NDArray[Any]]) -> Network:
    """The network that a description (`Network.describe`) and its tensors make.

    Raises NetworkFileError or NetworkError for anything that is missing, unknown or wrong.
    """
    populations = tuple(_population(entry) for entry in _field(header, "populations", list))
    couplings = tuple(_coupling(entry, tensors) for entry in _field(header, "couplings", list))
    biases = {n.removesuffix(".bias"): t for n, t in tensors.items() if n.endswith(".bias")}
    expected = {f"{c.name}.weight" for c in couplings} | {f"{n}.bias" for n in biases}
    for name in tensors:
        if name not in expected:
            raise NetworkFileError(f"tensor {name!r}: must belong to a coupling or population")
    return Network(
        populations=populations,
        couplings=couplings,
        biases=biases,
        schedule=_choice(Schedule, _field(header, "schedule", str), "schedule"),
        beta_shift=_field(_field(header, "nudge", dict), "beta_shift", int),
    )


def _population(entry: Any) -> Population:
    return Population(
        name=_field(entry, "name", str),
        size=_field(entry, "size", int),
        role=_choice(Role, _field(entry, "role", str), "role"),
        state_bits=_field(entry, "state_bits", int),
        signed=_field(entry, "signed", bool),
    )


def _coupling(entry: Any, tensors: dict[str, npt.NDArray[Any]]) -> Coupling:
    kind = _field(entry, "kind", str)
    if kind != "dense":
        raise NetworkFileError(f"coupling kind must be 'dense', not {kind!r:.60}")
    pre, post = _field(entry, "pre", str), _field(entry, "post", str)
    name = f"{pre}-{post}.weight"
    if name not in tensors:
        raise NetworkFileError(f"tensor {name!r:.80}: must be in the file, found none")
    return Coupling(
        pre=pre,
        post=post,
        weight=np.asarray(tensors[name]),
        fraction_bits=_field(entry, "fraction_bits", int),
        weight_format=_choice(WeightFormat, _field(entry, "weight_format", str), "weight_format"),
    )


def _field(entry: Any, key: str, kind: type[_T]) -> _T:
    if not isinstance(entry, dict) or key not in entry:
        raise NetworkFileError(f"metadata 'network' must have the field {key!r}")
    value = entry[key]
    if type(value) is not kind:
        raise NetworkFileError(f"field {key!r} must be a {kind.__name__}, not {value!r:.60}")
    return value


def _choice(kind: Any, value: str, key: str) -> Any:
    try:
        return kind(value)
    except ValueError:
        known = ", ".join(repr(member.value) for member in kind)
        raise NetworkFileError(f"field {key!r} must be one of {known}, not {value!r:.60}") from None

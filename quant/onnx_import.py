"""From an ONNX file back to a network: one of ours to the same bits, or a plain quantised MLP."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from toreq_hw.argument_types import named_type_errors
from toreq_hw.contract.arithmetic import rounding_half
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.network import Network
from toreq_hw.network.file import from_header
from toreq_hw.quant.onnx_chain import read_chain
from toreq_hw.quant.onnx_file import read_model
from toreq_hw.quant.onnx_loop import to_onnx
from toreq_hw.quant.onnx_mlp import quantised_mlp
from toreq_hw.quant.onnx_proof import prove
from toreq_hw.quant.onnx_tensor import array
from toreq_hw.quant.qonnx_export import to_qonnx
from toreq_hw.reading import parse_json
from toreq_hw.records.exchange import Carried

Tensors = dict[str, npt.NDArray[Any]]


@named_type_errors
def read_onnx(path: Path) -> tuple[Network, tuple[Carried, ...]]:
    """The network of an ONNX file, and per coupling how an MLP's weights were carried over.

    A file that `to_onnx` or `to_qonnx` wrote gives back the very network, and nothing to say
    about its couplings: its graph must be the one that this network exports to, node by node.
    Any other file must be a plain quantised MLP (see `onnx_mlp`); it is run, and the network must
    compute its states layer by layer (see `onnx_proof`).

    Raises NetworkFileError naming the file, and the node or tensor that is in the way;
    MissingDependencyError where the file is QONNX and qonnx is absent.
    """
    model = read_model(path)
    try:
        if any(p.key == "network" for p in model.metadata_props):
            return _own(model), ()
        chain = read_chain(model, quantised=True)
        mlp = quantised_mlp(chain)
        compared = prove(model, chain, mlp)
    except (NetworkError, NetworkFileError, InputError) as error:
        raise NetworkFileError(f"{path}: {error}") from error
    return mlp.network, tuple(
        Carried(
            coupling=coupling.name,
            exact=found.exact,
            sqnr_db=None if found.exact else found.sqnr_db,
            clipped_fraction=found.clipped_fraction,
            pre_scale=pre.scale,
            post_scale=post.scale,
            states=one.states,
            ties=one.ties,
            moved=one.moved,
            largest=one.largest,
            lowest=one.lowest,
        )
        for coupling, found, (pre, post), one in zip(
            mlp.network.dense_couplings, mlp.fits, pairwise(mlp.formats), compared, strict=True
        )
    )


def _own(model: onnx.ModelProto) -> Network:
    properties = {p.key: p.value for p in model.metadata_props}
    header = _json_object(properties["network"])
    tensors = {t.name: array(t) for t in model.graph.initializer}
    export: Callable[[Network], onnx.ModelProto] = to_onnx
    if "sweeps" in properties:
        sweeps = _whole(properties["sweeps"])
        export = partial(to_qonnx, sweeps=sweeps)
        tensors = _integers(header, tensors)
    ends = (".weight", ".bias", ".indptr", ".indices")
    names = [name for name in tensors if name.endswith(ends)]
    network = from_header(header, {name: tensors[name] for name in names})
    _check_same(model, export(network))
    return network


def _check_same(found: onnx.ModelProto, expected: onnx.ModelProto) -> None:
    """Refuses a graph that is not, node by node, the export of the network it describes."""
    for mine, theirs in zip(expected.graph.node, found.graph.node, strict=False):
        if mine != theirs:
            raise NetworkFileError(
                f"node {theirs.name!r:.80}: must be as the network's export has it, "
                f"found {theirs.op_type!r:.40} where {mine.op_type!r} {mine.name!r:.80} belongs"
            )
    if len(found.graph.node) != len(expected.graph.node):
        raise NetworkFileError(
            f"graph must have the {len(expected.graph.node)} nodes of the network's export, "
            f"found {len(found.graph.node)}"
        )
    if found.graph != expected.graph or found.opset_import != expected.opset_import:
        raise NetworkFileError(
            "graph must be the export of the network it describes, found other constants, "
            "inputs, outputs or operator sets"
        )


def _integers(header: dict[str, object], tensors: Tensors) -> Tensors:
    """Stored integers of the real weights and biases that a QONNX file holds.

    Whether they are what the file holds, the comparison with their own export decides.
    """
    bits: dict[str, int] = {}
    couplings = header.get("couplings")
    for entry in couplings if isinstance(couplings, list) else []:
        try:
            fraction_bits = int(entry["fraction_bits"])
            pre, post = str(entry["pre"]), str(entry["post"])
        except (TypeError, KeyError, ValueError) as error:
            raise NetworkFileError("metadata 'network' must describe each coupling") from error
        bits[f"{pre}-{post}.weight"] = fraction_bits
        for end in (pre, post):
            bits[f"{end}.bias"] = max(bits.get(f"{end}.bias", 0), fraction_bits)
    stored: Tensors = {}
    for name, fraction_bits in bits.items():
        if name not in tensors or not 0 <= fraction_bits <= 15:
            continue
        scaled = np.nan_to_num(tensors[name].astype(np.float64)) * 2.0**fraction_bits
        if name.endswith(".weight"):
            stored[name] = np.clip(scaled, -128, 127).astype(np.int8)
        else:
            half = rounding_half(fraction_bits)
            stored[name] = np.clip(scaled - half, -(2**31), 2**31 - 1).astype(np.int32).reshape(-1)
    return stored


def _json_object(text: str) -> dict[str, object]:
    found = parse_json(text, "metadata 'network'", NetworkFileError)
    if not isinstance(found, dict):
        raise NetworkFileError(f"metadata 'network' must be a JSON object, not {found!r:.60}")
    return found


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise NetworkFileError(f"metadata 'sweeps' must be a number, not {text!r:.40}") from None

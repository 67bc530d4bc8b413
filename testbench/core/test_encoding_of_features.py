"""The encoding in a network file: read back to the bit, hashed, checked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from toreq_hw import data, network
from toreq_hw.errors import InputError, NetworkError, NetworkFileError
from toreq_hw.network import Encoding, WeightFormat
from toreq_hw.network.file import from_header, header

ENCODING = Encoding((0.1, -3.0), (0.7, 1e-3), ("age", "größe"), ("no", "yes"))


def small() -> network.Network:
    return network.layered((2, 3, 2), WeightFormat.INT8, (4, 4))


def test_it_is_read_back_and_hashed(tmp_path: Path) -> None:
    net = replace(small(), encoding=ENCODING)
    network.save(net, tmp_path / "net.safetensors")
    found = network.load(tmp_path / "net.safetensors")
    assert found.encoding == ENCODING
    assert found.sha256 == net.sha256 != small().sha256
    assert (net.file_version, small().file_version) == (2, 1)


def test_a_file_of_version_1_has_none() -> None:
    net = replace(small(), encoding=ENCODING)
    stated = json.loads(json.dumps({**header(net), "version": 1}))
    with pytest.raises(NetworkFileError, match="an encoding must be in a file of version 2"):
        from_header(stated, net.tensors())


def test_pixels_by_hand() -> None:
    encoding = Encoding((0.0, 5.0), (2.0, 5.0))
    found = encoding.pixels([[-1, 5], [0, 4], [1, 6], [0.0039, 5], [2, 9], [3, 9]])
    assert found.tolist() == [[0, 0], [0, 0], [128, 255], [0, 0], [255, 255], [255, 255]]
    assert Encoding((0.0,), (255.0,)).pixels(np.arange(256)[None]).tolist() == [list(range(256))]
    with pytest.raises(InputError, match=r"features: must have shape \(samples, 2\)"):
        encoding.pixels([[1.0]])


def test_centred_states_by_hand() -> None:
    encoding = Encoding((0.0,), (1.0,), centred=True)
    net = network.layered((4, 3, 2), WeightFormat.INT8, (4, 4), encoding=encoding)
    found = data.input_states(net, [[0, 127, 128, 255]], 255)
    assert found.tolist() == [[-127, 0, 0, 127]]
    assert header(net)["encoding"] == {"low": [0.0], "high": [1.0], "centred": True}
    assert from_header(json.loads(json.dumps(header(net))), net.tensors()).encoding == encoding
    with pytest.raises(NetworkError, match="a centred encoding must be of a signed input"):
        replace(small(), encoding=encoding)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"low": (2.0,), "high": (1.0,)}, "low at most high"),
        ({"low": (float("nan"),), "high": (1.0,)}, "low of an encoding must be finite"),
        ({"low": (0.0,), "high": (1e301,)}, "high of an encoding must be finite"),
        ({"low": (0.0, 1.0), "high": (1.0,)}, "must be as many"),
        ({"low": (), "high": ()}, "must be finite numbers"),
        ({"low": (0.0,), "high": (1.0,), "columns": ("a", "a")}, "must be different texts"),
        ({"low": (0.0,), "high": (1.0,), "classes": ("a", "")}, "must be different texts"),
    ],
)
def test_what_is_none(given: dict, said: str) -> None:
    with pytest.raises(NetworkError, match=said):
        Encoding(**given)


@pytest.mark.parametrize(
    "encoding",
    [
        Encoding((0.0,) * 3, (1.0,) * 3),
        Encoding((0.0,), (1.0,), columns=("a",)),
        Encoding((0.0,), (1.0,), classes=("a", "b", "c")),
    ],
)
def test_it_must_fit_the_network(encoding: Encoding) -> None:
    with pytest.raises(NetworkError, match="of the encoding must number"):
        replace(small(), encoding=encoding)

"""Version 2 of the network file: kinds, shapes, shared biases, colours; what is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from testbench.networks import Case
from testbench.structured import dense_equivalent, structured_case, structured_cases
from toreq_hw import network
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.network import Colouring, Schedule, WeightFormat
from toreq_hw.network.bounds import accumulator_range


@settings(max_examples=40, deadline=None)
@given(case=structured_cases())
def test_files_round_trip(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    folder = tmp_path_factory.mktemp("nets")
    first, second = folder / "a.safetensors", folder / "b.safetensors"
    network.save(case.network, first)
    loaded = network.load(first)
    network.save(loaded, second)
    assert first.read_bytes() == second.read_bytes()
    assert loaded.sha256 == case.network.sha256
    assert loaded.describe() == case.network.describe()
    assert network.file.header(loaded)["version"] == 2
    assert loaded.lowered.sha256 == dense_equivalent(case.network).sha256
    for population in loaded.relaxing:
        ranges = [accumulator_range(n, population.name) for n in (loaded, loaded.lowered)]
        assert np.array_equal(*ranges)


def of_version_2(seed: int = 4) -> tuple[dict[str, Any], dict[str, Any]]:
    net = structured_case(seed, schedule=Schedule.SEQUENTIAL).network
    net = replace(net, schedule=Colouring.greedy(net.relaxing, net.couplings))
    header = network.file.header(net)
    del header["sha256"]
    return header, dict(net.tensors())


def without(name: str) -> Callable[[Any, Any], None]:
    return lambda _, tensors: tensors.pop(next(k for k in tensors if k.endswith(name)))


def set_in(where: str, k: int, name: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda header, _: header[where][k].update({name: value})


def altered(name: str, change: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def apply(_: Any, tensors: Any) -> None:
        key = next(k for k in tensors if k.endswith(name))
        tensors[key] = change(tensors[key].copy())

    return apply


FILES = {
    "version": (
        lambda h, _: h.update(version=1),
        "must be in a file of version 2, found version 1",
    ),
    "no colours": (without("hidden.colour"), "schedule: tensor 'hidden.colour' must be there"),
    "colour of the input": (
        lambda _, t: t.update({"input.colour": np.zeros(4, np.int32)}),
        "tensor 'input.colour': must belong to a coupling or population",
    ),
    "colours unused": (
        lambda h, _: h.update(schedule="sequential"),
        ".colour': must belong to a coupling or population",
    ),
    "a gap": (altered(".colour", lambda a: a + 10**6), "colours must be numbers from 0 to at most"),
    "below": (altered(".colour", lambda a: a - 9), "colours must be numbers from 0 to at most"),
    "colour type": (altered(".colour", lambda a: a.astype(np.int64)), "must be int32 of shape ("),
    "no indices": (without(".indices"), ".indices': must be in the file"),
    "no indptr": (without(".indptr"), ".indptr': must be in the file"),
    "no shape": (lambda h, _: h["couplings"][0].pop("input_shape"), "input_shape must be there"),
    "shape": (set_in("couplings", 0, "input_shape", [0]), "[0] must be a whole number in 1.."),
    "stride": (set_in("couplings", 0, "stride", 2.0), "stride must be a whole number in"),
    "population": (set_in("populations", 0, "shape", {}), "populations[0].shape must be a list"),
    "bias": (set_in("populations", 1, "bias_per_channel", 2), "must be true or false, found 2"),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_files_are_refused_in_one_line(name: str) -> None:
    change, words = FILES[name]
    header, tensors = of_version_2()
    network.file.from_header(header, tensors)
    change(header, tensors)
    with pytest.raises((NetworkError, NetworkFileError)) as refused:
        network.file.from_header(header, tensors)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_large_network_file_is_small(tmp_path: Path) -> None:
    net = structured_case(3).network
    network.save(net, tmp_path / "net.safetensors")
    assert (tmp_path / "net.safetensors").stat().st_size < 20_000


def test_a_shape_alone_asks_for_version_2() -> None:
    net = network.layered((6, 4, 2), WeightFormat.INT8, (2, 2))
    assert net.file_version == 1
    shaped = replace(net.populations[1], shape=(2, 2), bias_per_channel=True)
    net = replace(net, populations=(net.populations[0], shaped, net.populations[2]))
    header = network.file.header(net)
    assert header["version"] == 2
    with pytest.raises(NetworkFileError, match="shape of population 'hidden' must be in a file of"):
        network.file.from_header(header | {"version": 1}, net.tensors())

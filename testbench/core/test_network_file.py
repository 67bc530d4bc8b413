"""Files round-trip to the same bytes; whatever is not exactly a network is refused in a line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from safetensors import safe_open
from safetensors.numpy import save as to_safetensors

from testbench.networks import Case, cases, random_case
from toreq_hw import network
from toreq_hw.errors import NetworkFileError, OutputError
from toreq_hw.network import Schedule


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "net.safetensors"
    network.save(random_case(7, schedule=Schedule.SEQUENTIAL).network, path)
    return path


def parts(path: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with safe_open(path, framework="numpy") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        return json.loads(file.metadata()["network"]), tensors


def write(path: Path, header: Any, tensors: dict[str, Any]) -> None:
    path.write_bytes(to_safetensors(tensors, metadata={"network": json.dumps(header)}))


def refusal(path: Path) -> str:
    with pytest.raises(NetworkFileError) as caught:
        network.load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    assert "\n" not in message
    return message


@settings(max_examples=50, deadline=None)
@given(case=cases(skips=True))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, case: Case) -> None:
    folder = tmp_path_factory.mktemp("nets")
    first, second = folder / "a.safetensors", folder / "b.safetensors"
    network.save(case.network, first)
    loaded = network.load(first)
    network.save(loaded, second)
    assert first.read_bytes() == second.read_bytes()
    assert loaded.sha256 == case.network.sha256
    assert loaded.describe() == case.network.describe()


def test_every_cut_is_refused(saved: Path, tmp_path: Path) -> None:
    content = saved.read_bytes()
    cut = tmp_path / "cut.safetensors"
    for length in [*range(0, len(content), 7), len(content) - 1]:
        cut.write_bytes(content[:length])
        refusal(cut)


def test_every_changed_byte_is_refused_or_harmless(saved: Path, tmp_path: Path) -> None:
    content = bytearray(saved.read_bytes())
    original = network.load(saved).sha256
    changed = tmp_path / "changed.safetensors"
    for index in range(0, len(content), 3):
        damaged = content.copy()
        damaged[index] ^= 0x11
        changed.write_bytes(damaged)
        try:
            found = network.load(changed).sha256
        except NetworkFileError as error:
            found = original if "\n" not in str(error) else str(error)
        assert found == original


def change(key: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda header, _: header.__setitem__(key, value)


def drop(key: str) -> Callable[[Any, Any], None]:
    return lambda header, _: header.__delitem__(key)


def in_population(key: str, value: Any) -> Callable[[Any, Any], None]:
    return lambda header, _: header["populations"][1].__setitem__(key, value)


def weight(change_it: Callable[[Any], Any]) -> Callable[[Any, Any], None]:
    def apply(_: Any, tensors: dict[str, Any]) -> None:
        name = next(n for n in tensors if n.startswith("input-"))
        tensors[name] = change_it(tensors[name].copy())

    return apply


def with_corner(value: int) -> Callable[[Any], Any]:
    def apply(array: Any) -> Any:
        array[0, 0] = value
        return array

    return apply


@pytest.mark.parametrize(
    ("mutate", "message"),
    [
        (change("format", "elsewhere"), "format must be 'toreq-hw network', found 'elsewhere'"),
        (change("version", 3), "version must be 1 or 2 (a newer toreq_hw may read it), found 3"),
        (change("version", None), "version must be a whole number in"),
        (change("sha256", "0" * 64), "content must have the SHA-256 000"),
        (drop("populations"), "field network.populations must be there, found "),
        (change("populations", {}), "field network.populations must be a list, found {}"),
        (
            change("populations", [3]),
            "field network.populations must be a list of objects, found [3]",
        ),
        (change("schedule", "chaotic"), "one of 'parity', 'sequential', 'synchronous'"),
        (change("nudge", {"beta_shift": 99}), "beta_shift must be an integer in 0..15"),
        (in_population("size", 10**9), "size must be an integer in 1.."),
        (in_population("size", 3.0), "field network.populations[1].size must be a whole number in"),
        (
            in_population("role", "boss"),
            "field network.populations[1].role must be one of 'input', 'hidden', 'output', found",
        ),
        (in_population("state_bits", 9), "must be an integer in"),
        (weight(with_corner(-128)), "found -128 at [0, 0]"),
        (weight(lambda a: a[:, :-1] if a.shape[1] > 1 else a[:-1]), "weight must have shape"),
        (weight(lambda a: a.astype(np.int16)), "weight must be an int8 array, not int16"),
        (lambda _, tensors: tensors.update(extra=np.zeros(3, np.int8)), "tensor 'extra'"),
        (lambda h, _: h["couplings"][0].update(kind="spiral"), "kind must be 'dense'"),
        (lambda h, _: h["couplings"][0].update(pre="nowhere"), "must be in the file, found none"),
    ],
)
def test_bad_files_are_refused(
    saved: Path, mutate: Callable[[Any, Any], None], message: str
) -> None:
    header, tensors = parts(saved)
    if message.startswith("found -128") or "weight" in message or "tensor" in message:
        del header["sha256"]  # what must catch it is the rule, not the hash
    mutate(header, tensors)
    write(saved, header, tensors)
    assert message in refusal(saved)


def test_hash_is_optional_for_writers(saved: Path) -> None:
    header, tensors = parts(saved)
    del header["sha256"]
    write(saved, header, tensors)
    assert network.load(saved).describe()["schedule"] == "sequential"


def test_hash_catches_a_changed_weight_that_is_still_a_weight(saved: Path) -> None:
    header, tensors = parts(saved)
    weight(lambda a: np.where(a == 0, 1, 0).astype(np.int8))(header, tensors)
    write(saved, header, tensors)
    assert "content must have the SHA-256" in refusal(saved)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x"
    assert "found: No such file" in refusal(path)
    path.write_text("hello")
    assert "must be a whole safetensors file" in refusal(path)
    path.write_bytes(to_safetensors({"a": np.zeros(1, np.int8)}))
    assert "metadata must have an entry 'network'" in refusal(path)
    path.write_bytes(to_safetensors({}, metadata={"network": "{"}))
    assert "metadata 'network': must be JSON" in refusal(path)
    write(path, [1], {})
    assert "field network must be an object, found [1]" in refusal(path)


def test_huge_sparse_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate((1 << 32) + 1)
    assert "file must be at most 4294967296 bytes" in refusal(path)


def test_unwritable_destination_leaves_nothing(tmp_path: Path) -> None:
    blocker = tmp_path / "file"
    blocker.write_text("kept")
    with pytest.raises(OutputError, match="must be writable"):
        network.save(random_case(1).network, blocker / "net.safetensors")
    assert blocker.read_text() == "kept"
    assert list(tmp_path.iterdir()) == [blocker]

"""Published records become dataclasses, the same JSON again, and the published pages."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbench.supported import ROWS, example
from toreq_hw.errors import InputError
from toreq_hw.files import write_json
from toreq_hw.network import WeightFormat
from toreq_hw.reading import read_json, read_record, record_from
from toreq_hw.records import plain
from toreq_hw.records.core_relearning import CoreRelearnings
from toreq_hw.records.deployment import DeployedNetwork
from toreq_hw.records.depth import Depth
from toreq_hw.records.estimators import Estimators
from toreq_hw.records.gradients import Gradients
from toreq_hw.records.lazy import LazyRecord
from toreq_hw.records.learning import Learning
from toreq_hw.records.parity import Parity
from toreq_hw.records.robustness import Robustness
from toreq_hw.records.structured import Structured
from toreq_hw.records.synthesis import Synthesis
from toreq_hw.records.text import TextRecord
from toreq_hw.records.verification import Verification
from toreq_hw.reports import parity
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.studies.study import find

PUBLISHED = Path(__file__).parents[2] / "reports" / "published"


def parity_pages(record: Parity, folder: Path) -> None:
    (folder / "parity.md").write_text(parity.markdown(record.runs, record.memory), "utf-8")
    (folder / "parity.png").write_bytes(parity.picture(record.rows))


def pages_of(name: str) -> Callable[[Any, Path], None]:
    """What writes both pages of a study's record, its verdict on them."""

    def write(record: Any, folder: Path) -> None:
        page = find()[name].judged(record)
        write_markdown(page, folder / f"{name}.md")
        write_page(page, folder / f"{name}.html")

    return write


CASES: dict[str, tuple[type, Callable[[Any, Path], None]]] = {
    "core-relearning": (
        CoreRelearnings,
        pages_of("core-relearning"),
    ),
    "depth": (Depth, pages_of("depth")),
    "estimators": (Estimators, pages_of("estimators")),
    "gradients": (Gradients, pages_of("gradients")),
    "lazy": (LazyRecord, pages_of("lazy")),
    "learning": (Learning, pages_of("learning")),
    "parity": (Parity, parity_pages),
    "robustness": (Robustness, pages_of("robustness")),
    "structured": (Structured, pages_of("structured")),
    "synthesis": (Synthesis, pages_of("synthesis")),
    "text": (TextRecord, pages_of("text")),
    "verification": (Verification, pages_of("verification")),
}
"""By name of the published file: the dataclass of its record, and what writes its pages."""


def published(name: str) -> Any:
    return read_record(PUBLISHED / f"{name}.json", CASES[name][0], InputError)


def test_every_published_record_has_a_dataclass() -> None:
    assert {path.stem for path in PUBLISHED.glob("*.json")} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_a_published_record_becomes_the_same_json_again(name: str) -> None:
    content = json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))
    assert json.dumps(published(name), default=plain) == json.dumps(content)


@pytest.mark.parametrize("name", CASES)
def test_a_published_record_gives_the_published_pages(name: str, tmp_path: Path) -> None:
    CASES[name][1](published(name), tmp_path)
    pages = [path for path in PUBLISHED.glob(f"{name}.*") if path.suffix != ".json"]
    assert pages
    for page in pages:
        assert (tmp_path / page.name).read_bytes() == page.read_bytes(), page.name


def damage_record(*changes: tuple[tuple[str | int, ...], object]) -> Any:
    """The published record of lazy cores with some values put elsewhere; `...` takes one away."""
    content = read_json(PUBLISHED / "lazy.json", 1 << 20, InputError)
    for place, value in changes:
        part = content
        for name in place[:-1]:
            part = part[name]
        if value is ...:
            del part[place[-1]]
        else:
            part[place[-1]] = value
    return content


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (("networks", 1, "lanes"), "16", "field networks[1].lanes must be int, found str"),
        (
            ("networks", 0, "savings", 2, "saved"),
            True,
            "savings[2].saved must be float, found bool",
        ),
        (("networks", 0, "sha256"), ..., "field networks[0].sha256 must be there, found none"),
        (
            ("networks", 0, "extra"),
            1,
            "fields must be those of its record, found 'networks[0].extra'",
        ),
        (("versions", "numpy"), None, "field versions[...] must be str, found null"),
        (("networks",), {}, "field networks must be array, found object"),
    ],
)
def test_a_damaged_record_is_refused_in_one_line(
    place: tuple[str | int, ...], value: object, reason: str
) -> None:
    with pytest.raises(InputError) as refused:
        record_from(damage_record((place, value)), LazyRecord, "lazy.json", InputError)
    assert str(refused.value).startswith("lazy.json: ")
    assert str(refused.value).endswith(reason)


@pytest.mark.parametrize(
    "place",
    [("\ud800",), ("networks", 0, "\ud800"), ("versions", "\ud800")],
    ids=["top", "row", "free"],
)
def test_half_a_character_in_a_name_is_refused(place: tuple[str | int, ...]) -> None:
    with pytest.raises(InputError, match=r"^x: ") as refused:
        record_from(damage_record((place, "1")), LazyRecord, "x", InputError)
    assert str(refused.value).isascii()


def test_half_a_character_in_a_text_is_refused() -> None:
    place = ("networks", 0, "name")
    with pytest.raises(
        InputError, match=r"name must be a text that UTF-8 can hold, found '\\ud800'"
    ):
        record_from(damage_record((place, "\ud800")), LazyRecord, "x", InputError)


def test_a_record_that_is_no_object_is_refused() -> None:
    with pytest.raises(InputError, match=r"^x: must hold an object, found \[\]$"):
        record_from([], LazyRecord, "x", InputError)


def test_whole_numbers_are_taken_for_floats() -> None:
    place = (("networks", 0, "savings", 0, "saved"), 0)
    record = record_from(damage_record(place), LazyRecord, "x", InputError)
    assert record.networks[0].savings[0].saved == 0.0


def test_a_written_record_is_read_back(tmp_path: Path) -> None:
    record = published("lazy")
    write_json(tmp_path / "lazy.json", record)
    assert read_record(tmp_path / "lazy.json", LazyRecord, InputError) == record


def test_what_is_no_plain_value_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="plain values, found object"):
        write_json(tmp_path / "x.json", {"x": object()})


@pytest.mark.parametrize("row", ROWS, ids=" ".join)
def test_a_deployment_names_every_kind_of_network(row: tuple[str, str]) -> None:
    """`Network.describe` and the record have the same fields, of types that the record states."""
    network = example(row, WeightFormat.TERNARY)
    told = DeployedNetwork("path", network.sha256, **network.describe())
    content = json.loads(json.dumps(plain(told)))
    assert content == {"path": "path", "sha256": network.sha256, **as_json(network.describe())}
    record_from(content, DeployedNetwork, "deployment", InputError)


def as_json(value: Any) -> Any:
    return json.loads(json.dumps(value))

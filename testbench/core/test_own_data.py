"""Own data: tables, arrays, folders and functions; what is wrong is named in one line."""

from pathlib import Path

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.data import Spec
from toreq_hw.data.own.splitting import chosen
from toreq_hw.errors import DataError
from toreq_hw.network import Encoding

TABLE = """age,income,kind
20,1000,no
30,2000,yes
40,3000,no
50,4000,yes
60,5000,no
70,6000,yes
"""


def table(folder: Path, content: str = TABLE, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


def refusal(text: str, encoding: Encoding | None = None) -> str:
    with pytest.raises(DataError) as caught:
        data.load(text, encoding)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_table_is_split_scaled_and_its_classes_are_numbered(tmp_path: Path) -> None:
    found = data.load(f"{table(tmp_path)}?target=kind&split=0.34:3&scale=minmax")
    assert found.name == "people.csv"
    assert (len(found.train), len(found.test), found.classes) == (4, 2, 2)
    assert found.encoding is not None
    assert found.encoding.classes == ("no", "yes")
    assert found.encoding.columns == ("age", "income")
    assert sorted(found.test.labels.tolist()) == [0, 1]  # of each class its share
    low, high = found.encoding.low, found.encoding.high
    ages = [20, 30, 40, 50, 60, 70]
    mark = chosen(("no", "yes") * 3, 0.34, 3)
    kept = [age for age, tests in zip(ages, mark, strict=True) if not tests]
    assert (low[0], high[0]) == (min(kept), max(kept))
    assert data.load(found.source).sha256 == found.sha256
    assert data.load(f"{table(tmp_path)}?target=kind&split=0.34:4").sha256 != found.sha256


def test_the_scale_of_a_network_holds_for_other_samples(tmp_path: Path) -> None:
    encoding = Encoding((0.0, 0.0), (100.0, 10000.0), ("income", "age"), ("yes", "no", "perhaps"))
    with_swapped = Encoding((0.0, 0.0), (10000.0, 100.0), ("income", "age"), encoding.classes)
    found = data.load(f"{table(tmp_path)}?target=kind&split=0.5:1", with_swapped)
    both = np.concatenate([found.train.images, found.test.images]).tolist()
    assert sorted(both)[0] == [26, 51]  # 1000 of 10000 and 20 of 100, halves up
    assert found.classes == 3
    assert set(found.test.labels.tolist()) == {0, 1}


def test_arrays_with_their_split(tmp_path: Path) -> None:
    images = np.arange(4 * 6 * 5 * 3, dtype=np.uint8).reshape(4, 6, 5, 3)
    path = tmp_path / "pictures.npz"
    np.savez(path, x_train=images, y_train=[7, 9, 7, 9], x_test=images[:2], y_test=[9, 7])
    found = data.load(str(path))
    assert (found.shape, found.channels, found.pixels) == ((6, 5), 3, 90)
    assert found.train.images.tolist() == images.reshape(4, -1).tolist()  # bytes stay as they are
    assert found.test.labels.tolist() == [1, 0]
    assert found.encoding is not None
    assert found.encoding.classes == ("7", "9")


def test_a_folder_of_images(tmp_path: Path) -> None:
    from PIL import Image

    for part in ("train", "test"):
        for number, kind in enumerate(("cat", "dog")):
            folder = tmp_path / "animals" / part / kind
            folder.mkdir(parents=True)
            Image.fromarray(np.full((3, 2), 90 + number, dtype=np.uint8)).save(folder / "a.png")
    found = data.load(str(tmp_path / "animals"))
    assert (found.shape, found.train.labels.tolist()) == ((3, 2), [0, 1])
    assert found.test.images.tolist() == [[90] * 6, [91] * 6]
    Image.fromarray(np.zeros((2, 2), dtype=np.uint8)).save(folder / "b.png")
    assert "b.png: must have rows, columns and channels" in refusal(str(tmp_path / "animals"))
    (folder / "b.png").write_bytes(b"none")
    assert "b.png: must be an image" in refusal(str(tmp_path / "animals"))


def test_a_function(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = "import numpy as np\ndef pairs():\n    x = np.eye(8)\n    return x, [0, 1] * 4\n"
    (tmp_path / "own_pairs_here.py").write_text(source + "def wrong():\n    return 3\n")
    monkeypatch.chdir(tmp_path)
    found = data.load("own_pairs_here:pairs?split=0.5")
    assert (found.name, len(found.train), found.classes) == ("own_pairs_here.pairs", 4, 2)
    assert "must give (features, targets)" in refusal("own_pairs_here:wrong")
    assert "found AttributeError" in refusal("own_pairs_here:absent")
    assert "found ModuleNotFoundError" in refusal("own_pairs_absent:f")


@pytest.mark.parametrize(
    ("content", "settings", "said"),
    [
        (TABLE.replace("3000", ""), "target=kind", "column 'income' must have a value in every"),
        (TABLE.replace("3000", "NaN"), "target=kind", "found 'NaN' in line 4"),
        (TABLE.replace("3000", "much"), "target=kind", "column 'income' must hold numbers, found"),
        (
            TABLE.replace("3000", "inf"),
            "target=kind",
            "hold numbers of at most 1e+100, found 'inf' in line 4",
        ),
        (TABLE.replace("3000", "-2e100"), "target=kind", "found '-2e100' in line 4"),
        (TABLE.replace("age,", "kind,"), "target=kind", "found 'kind' for columns 1 and 3"),
        (TABLE.replace("age,", ","), "target=kind", "found none for column 1; name it, or leave"),
        (TABLE[:16], "target=kind", "must have rows of values below the names of columns"),
        (TABLE.replace("age,income,", "0,1,"), "target=kind", "one of column1, column2, column3"),
        (TABLE.replace("age,income,", "0,income,"), "", "in column 2, 'income' above the number"),
        (TABLE, "target=kind&scale=0:1&split=0", "split must be FRACTION"),
        (TABLE.replace("40,3000,no", "40,3000,"), "target=kind", "'kind', the target, must have"),
        (TABLE, "", "the target must be named (--target-column)"),
        (TABLE, "target=kinds", "a column must be one of age, income, kind, not 'kinds'; did you"),
        (TABLE, "target=income&drop=kind&split=x", "split must be FRACTION[:SEED], given, column"),
        (TABLE, "target=kind&split=given", "must hold test samples of its own, found none"),
        (TABLE, "target=kind&split=column:age", "the column of split must hold train or test"),
        (TABLE, "target=kind&scale=5:5", "scale must be spread, minmax or LOW:HIGH with LOW below"),
        (TABLE, "target=kind&bits=3", "a setting of data must be one of target, split, scale"),
        (TABLE.replace("40,3000", "40"), "target=kind", "line 4 must have 3 cells, found 2"),
        (TABLE.replace("20,", "20.5,"), "target=age&drop=kind", "targets must be classes, whole"),
        ("a,y\n1,x\n2,x\n3,x\n4,x\n5,x\n", "", "must have 2 to 1000 classes among training sam"),
        ("", "target=kind", "must have rows, found none"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, content: str, settings: str, said: str) -> None:
    path = table(tmp_path, content)
    line = refusal(f"{path}?{settings}" if settings else str(path))
    assert said in line


def test_a_class_that_training_did_not_have(tmp_path: Path) -> None:
    first, second = table(tmp_path), table(tmp_path, TABLE.replace("yes", "maybe"), "more.csv")
    line = refusal(f"{first}?target=kind&split=file:{second}")
    assert "classes must be those of training samples (no, yes), found 'maybe'" in line


@pytest.mark.parametrize(
    ("classes", "found"),
    [
        (("9007199254740992", "9007199254740993"), ("9007199254740992", "9007199254740993")),
        (("1", "01"), ("01", "1")),
        (("2.0", "10"), ("2", "10")),
        (("-3", "+4"), ("-3", "4")),
    ],
)
def test_classes_that_differ_stay_apart(
    tmp_path: Path, classes: tuple[str, str], found: tuple[str, str]
) -> None:
    rows = TABLE.replace("no", classes[0]).replace("yes", classes[1])
    encoding = data.load(f"{table(tmp_path, rows)}?target=kind").encoding
    assert encoding is not None
    assert encoding.classes == found


def test_classes_that_floats_cannot_tell_apart_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x=np.eye(4), y=2.0**53 + np.array([0, 2, 0, 2]))
    assert "targets must be whole numbers below 2^53, or texts, found 9007199254740992" in refusal(
        str(path)
    )


def test_a_first_line_of_numbers_is_said_to_be_a_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("toreq_hw.notices._listeners", [said.append])
    path = table(tmp_path, "0,1\n" + "5,0\n6,1\n" * 4)
    data.load(f"{path}?target=column2")
    assert [line for line in said if "line 1 holds numbers, so it is a sample" in line]


def test_the_only_sample_of_a_class_trains() -> None:
    for seed in range(1, 30):
        marks = chosen(("a", "b", "b", "c", "b", "b"), 0.34, seed)
        assert marks.any()
        assert not marks[[0, 3]].any()


def test_a_split_beside_given_test_samples_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, x_train=np.eye(4), y_train=[0, 1, 0, 1], x_test=np.eye(4), y_test=[0, 1, 0, 1])
    assert "split must be left out, or the word given" in refusal(f"{path}?split=0.3")


def test_a_scale_beside_that_of_the_network_is_refused(tmp_path: Path) -> None:
    own = data.load(f"{table(tmp_path)}?target=kind&scale=minmax")
    again = data.load(f"{table(tmp_path)}?target=kind&scale=minmax", own.encoding)
    assert again.sha256 == own.sha256  # the same training goes on
    for scale in ("0:9000", "spread"):
        line = refusal(f"{table(tmp_path)}?target=kind&scale={scale}", own.encoding)
        assert f"scale must be left out, the network has its own, found '{scale}'" in line


def test_named_data_of_another_width_than_the_network_knows(tmp_path: Path) -> None:
    own = data.load(f"{table(tmp_path)}?target=kind")
    assert "digits: must have 2 features as the network's training samples, found 64" in refusal(
        "digits", own.encoding
    )


@pytest.mark.parametrize(
    ("mode", "colour", "said"),
    [
        ("I;16", 40000, "must have 8 bits a channel, found mode I;16"),
        ("F", 0.5, "must have 8 bits a channel, found mode F"),
        ("RGBA", (9, 9, 9, 100), "must be opaque, found transparent pixels"),
        ("LA", (9, 0), "must be opaque, found transparent pixels"),
    ],
)
def test_images_that_bytes_cannot_hold_are_refused(
    tmp_path: Path, mode: str, colour: tuple[int, ...] | float, said: str
) -> None:
    from PIL import Image

    (tmp_path / "set" / "cat").mkdir(parents=True)
    ending = "tiff" if mode == "F" else "png"
    Image.new(mode, (2, 2), colour).save(tmp_path / "set" / "cat" / f"a.{ending}")
    assert said in refusal(str(tmp_path / "set"))


def test_opaque_images_of_every_mode_are_taken(tmp_path: Path) -> None:
    from PIL import Image

    for mode, colour in (
        ("RGBA", (9, 8, 7, 255)),
        ("RGB", (9, 8, 7)),
        ("P", 3),
        ("CMYK", (1,) * 4),
    ):
        for kind in ("cat", "dog"):
            folder = tmp_path / mode / kind
            folder.mkdir(parents=True)
            for number in range(3):
                ending = "tiff" if mode == "CMYK" else "png"
                Image.new(mode, (2, 2), colour).save(folder / f"{number}.{ending}")
        assert data.load(str(tmp_path / mode)).channels == 3


def test_arrays_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(b"PK\3\4 cut")
    assert "must be an .npz file of arrays" in refusal(str(path))
    np.savez(path, x=np.array([["a", 1], ["b", 2]], dtype=object), y=[0, 1])
    assert "must be an .npz file of arrays" in refusal(str(path))  # no pickle is read
    np.savez(path, x=np.array([[1.0, np.nan], [0, 2]]), y=[0, 1])
    assert "feature 1 must be a number of at most 1e+100 in every sample, found nan" in refusal(
        str(path)
    )
    np.savez(path, pictures=np.eye(2), y=[0, 1])
    assert "features must be an array called x_train or x or" in refusal(str(path))
    np.savez(path, x=np.eye(2), y=[0, 1, 2])
    assert "must have a target a sample, found 3 for 2" in refusal(str(path))


def test_other_columns_than_the_network_knows(tmp_path: Path) -> None:
    encoding = Encoding((0.0,), (1.0,), ("age", "height"), ("no", "yes"))
    line = refusal(f"{table(tmp_path)}?target=kind", encoding)
    assert "must have a column 'height' as the network's training samples" in line


def test_a_text_is_read_back() -> None:
    spec = Spec("a b.csv", target="the & class", split="0.25:7", drop="x,y")
    assert Spec.of(spec.text) == spec
    assert Spec.of(spec.text).name == "a b.csv"
    with pytest.raises(DataError, match="target of data must be given once, found it twice"):
        spec.merged({"target": "z"})

"""Images that tracks draw reach the record and the page."""

from pathlib import Path

import numpy as np

from testbench.command_line import toreq_hw as run
from toreq_hw.errors import InputError
from toreq_hw.reading import read_record
from toreq_hw.records.verification import Drawing, Verification
from toreq_hw.reports.verification_pictures import drawing_picture


def test_a_network_run_backwards_is_drawn(tmp_path: Path) -> None:
    done = run("verify", "--track", "32", "--quick", "--work", tmp_path / "work", "--out", tmp_path)
    assert done.status == 0, done.error
    (result,) = read_record(tmp_path / "verification.json", Verification, InputError).results
    (drawing,) = result.drawings
    images = np.array(drawing.images)
    assert images.shape == (20, 8, 8)
    assert len(np.unique(images[:10].reshape(10, -1), axis=0)) == 10
    assert images[10:].min() >= 0
    assert drawing.caption in (tmp_path / "verification.html").read_text()


def test_a_drawing_is_one_labelled_picture() -> None:
    drawing = Drawing(caption="two images", images=(((0, 3), (1, 2)), ((3, 0), (2, 1))), columns=2)
    picture = drawing_picture(drawing)
    assert "two images" in picture
    assert picture.count("<image") == 1

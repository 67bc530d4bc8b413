"""Keys of a track's runs: what measures changes the key, what judges and words it does not."""

import shutil
from pathlib import Path

import pytest

import toreq_hw
from toreq_hw import code_digest, reached_code
from toreq_hw.studies.tracks import energy, measuring

SAME = {
    "the verdict": ("studies/tracks/energy.py", "if without:", "if without > 1:"),
    "a threshold's words": ("studies/tracks/energy.py", "strictly lower", "lower"),
    "which cases there are": ("studies/tracks/energy.py", "if settings.quick else", "if None else"),
    "a docstring": ("studies/tracks/energy.py", "One network: the", "A network: the"),
    "another track": ("studies/tracks/spectral.py", "LOSS = 1.0", "LOSS = 2.0"),
    "how rows are gathered": ("studies/tracks/measuring.py", "found = []", "found = list()"),
    "how a page says it": ("studies/tracks/rows.py", "digits: int = 2", "digits: int = 3"),
}
OTHER = {
    "what is measured": ("studies/tracks/energy.py", "after >= before", "after > before"),
    "a constant of it": ("studies/tracks/energy.py", "_BATCH = 500", "_BATCH = 400"),
    "a table of it": ("studies/tracks/energy.py", "fraction_bits=(6, 7)", "fraction_bits=(6, 6)"),
    "a method that it uses": ("studies/tracks/measuring.py", "== self.labels", "!= self.labels"),
    "what every run is rounded to": ("studies/tracks/measuring.py", "DIGITS = 9", "DIGITS = 8"),
    "its settings": ("studies/tracks/track.py", "seeds: int = 5", "seeds: int = 4"),
    "the simulator": ("sim/session.py", "threshold: int = 0", "threshold: int = 1"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copy") / "toreq_hw"
    shutil.copytree(Path(toreq_hw.__file__).parent, folder, ignore=shutil.ignore_patterns("lava*"))
    return folder


def key(folder: Path) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_digest, "_FOLDER", folder)
        forget()
        found = reached_code.digest_of_reached(energy._watch_all, measuring._one)
        forget()
    return found


def forget() -> None:
    for kept in (reached_code._digest, reached_code._read, code_digest.digest_of_imports):
        kept.cache_clear()


@pytest.fixture(scope="module")
def before(copy: Path) -> str:
    return key(copy)


def changed(folder: Path, file: str, old: str, new: str) -> str:
    path = folder / file
    text = path.read_text()
    assert old in text, "this test's own list"
    path.write_text(text.replace(old, new))
    try:
        return key(folder)
    finally:
        path.write_text(text)


@pytest.mark.parametrize("what", SAME)
def test_runs_outlive_what_does_not_measure(what: str, copy: Path, before: str) -> None:
    assert changed(copy, *SAME[what]) == before


@pytest.mark.parametrize("what", OTHER)
def test_runs_are_new_where_what_measures_is(what: str, copy: Path, before: str) -> None:
    assert changed(copy, *OTHER[what]) != before

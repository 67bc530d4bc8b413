"""Keys of finished work: what changes a result changes the key, and nothing else does."""

import shutil
from pathlib import Path

import pytest

import toreq_hw
from toreq_hw import code_digest
from toreq_hw.code_digest import digest_of_imports, normalise

CODE = '''"""A module."""

LIMIT = 3


def halve(x: int) -> int:
    """Half of it."""
    return (x + 1) >> 1


class Wrong(Exception):
    """Something."""
'''

SAME = {
    "a comment": ("LIMIT = 3", "LIMIT = 3  # of them"),
    "a comment line": ("LIMIT", "# so many\nLIMIT"),
    "a docstring": ("Half of it.", "Half of x, halves up."),
    "no docstring": ('    """Half of it."""\n', ""),
    "a constant's docstring": ("LIMIT = 3", 'LIMIT = 3\n"""So many."""'),
    "a class of nothing": ('"""Something."""', "pass"),
    "formatting": ("return (x + 1) >> 1", "return (\n        x + 1\n    )>>1"),
}
OTHER = {
    "a number": ("LIMIT = 3", "LIMIT = 4"),
    "an operation": ("(x + 1) >> 1", "(x + 1) // 2"),
    "precedence": ("(x + 1) >> 1", "x + (1 >> 1)"),
    "a name": ("def halve", "def half"),
    "a string that is used": ("LIMIT = 3", 'LIMIT = "3"'),
    "a base": ("Wrong(Exception)", "Wrong(ValueError)"),
    "a statement more": ("    return", "    x = x + 1\n    return"),
}


@pytest.mark.parametrize("what", SAME)
def test_words_do_not_count(what: str) -> None:
    assert normalise(CODE.replace(*SAME[what])) == normalise(CODE)


@pytest.mark.parametrize("what", OTHER)
def test_code_counts(what: str) -> None:
    assert normalise(CODE.replace(*OTHER[what])) != normalise(CODE)


def key(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(code_digest, "_FOLDER", folder)
    return str(digest_of_imports.__wrapped__("toreq_hw.sim.campaign.trial"))


def test_trials_outlive_words_and_no_other_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "toreq_hw"
    shutil.copytree(Path(toreq_hw.__file__).parent, folder, ignore=shutil.ignore_patterns("lava*"))
    before = key(folder, monkeypatch)
    for name in ("sim/event_kernel.py", "network/network.py", "data/dataset.py"):
        source = folder / name
        text = source.read_text()
        source.write_text('"""Other words."""\n# a comment\n' + text.partition('"""\n')[2])
        assert source.read_text() != text
        assert key(folder, monkeypatch) == before, f"words in {name}"
        source.write_text(text + "\nprint()\n")
        assert key(folder, monkeypatch) != before, f"code in {name}"
        source.write_text(text)
    (folder / "studies" / "ledger.py").write_text("print()")
    assert key(folder, monkeypatch) == before, "how trials are kept changes none"

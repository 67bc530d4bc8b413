"""Campaigns of source mutants: each verdict is kept at once, and a run goes on where one ended."""

import json
from pathlib import Path

import pytest

from testbench import source_mutants
from testbench.source_mutants import Campaign, Mutant

HALF = "def half(x):\n    even = 2\n    return x // even\n"
TEST = "from half import half\n\n\ndef test_half():\n    assert half(4) == 2\n    print('run')\n"
TESTS = ("test_half.py",)
KILLED = Mutant("half.py", "even = 2", "even = 3")
SURVIVOR = Mutant("half.py", "x // even", "x / even")


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source with one test, which needs no plugins of pytest: they are slow to load."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    root = tmp_path / "tree"
    root.mkdir()
    (root / "half.py").write_text(HALF)
    (root / "test_half.py").write_text(TEST)
    return root


def run(tree: Path, *mutants: Mutant, numbers: list[int] | None = None) -> int:
    """A campaign in a folder of its own."""
    folder = tree.parent / f"copies-{len(list(tree.parent.iterdir()))}"
    folder.mkdir()
    trials = [(mutant, TESTS) for mutant in mutants]
    return Campaign("half-mutants", trials, folder, tree).run(numbers or range(len(trials)))


def test_verdicts_are_kept_and_an_interrupted_run_goes_on(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stale = Mutant("half.py", "not there", "")
    with pytest.raises(SystemExit, match="exactly once"):
        run(tree, KILLED, stale, SURVIVOR)
    first = capsys.readouterr().out
    assert "whole tree: test_half.py" in first
    assert "1 of 3 mutants decided: 1 killed" in first

    tried = []
    usual = source_mutants._tried
    monkeypatch.setattr(source_mutants, "_tried", lambda *of: tried.append(of) or usual(*of))
    assert run(tree, KILLED, SURVIVOR) == 1
    assert len(tried) == 1
    second = capsys.readouterr().out
    assert "whole tree" not in second
    assert "killed     0 (decided before)" in second
    assert "SURVIVED   1" in second
    found = json.loads((tree / "build" / "half-mutants.json").read_text())
    assert [row["verdict"]["failed"] for row in found] == [True, False]

    (tree / "test_half.py").write_text(TEST.replace("print('run')", "assert half(3) == 1"))
    assert run(tree, KILLED, SURVIVOR, numbers=[1]) == 0
    assert "killed     1" in capsys.readouterr().out


def test_a_folder_is_run_whole_although_one_of_its_files_comes_first(
    tree: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tree / "tests"
    folder.mkdir()
    (folder / "test_first.py").write_text("def test_nothing():\n    pass\n")
    (tree / "test_half.py").rename(folder / "test_second.py")
    (folder / "conftest.py").write_text("import sys\nsys.path.insert(0, '.')\n")
    copies = tree.parent / "copies"
    copies.mkdir()
    (folder / "test_third.py").write_text("def test_wrong():\n    assert False\n")
    left_out = ("--deselect", "tests/test_third.py")
    trials = [(KILLED, ("tests/test_first.py", "tests", *left_out))]
    assert Campaign("half-mutants", trials, copies, tree).run([0]) == 0
    assert "killed     0" in capsys.readouterr().out


def test_a_harmless_mutant_must_survive(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    right = Mutant("half.py", "x // even", "x >> 1", "a shift is the same division")
    wrong = Mutant("half.py", "even = 2", "even = 3", "nobody sees it")
    assert run(tree, right, wrong) == 1
    printed = capsys.readouterr().out
    assert "harmless   0" in printed
    assert "NOT HARMLESS   1" in printed


def test_tests_that_fail_on_the_whole_tree_say_nothing(tree: Path) -> None:
    (tree / "test_half.py").write_text(TEST.replace("== 2", "== 1"))
    with pytest.raises(SystemExit, match=r"assert 2 == 1[^$]*must pass before anything is broken"):
        run(tree, KILLED)


def test_tests_may_ask_git_which_files_are_the_trees(tree: Path) -> None:
    listed = ["git", "ls-files", "--error-unmatch", "half.py"]
    asks = f"import subprocess\n\n\ndef test_git():\n    subprocess.run({listed}, check=True)\n"
    (tree / "test_half.py").write_text(TEST + asks)
    assert run(tree, KILLED) == 0


def test_the_test_of_the_lists_kills_no_mutant(tree: Path) -> None:
    folder = tree / "testbench" / "core"
    folder.mkdir(parents=True)
    text = "from pathlib import Path\n\n\ndef test_text():\n    "
    text += f"assert {SURVIVOR.before!r} in Path('half.py').read_text()\n"
    (folder / "test_mutant_lists.py").write_text(text)
    trials = [(SURVIVOR, ("testbench", "test_half.py"))]
    assert Campaign("half-mutants", trials, tree.parent, tree).run([0]) == 1

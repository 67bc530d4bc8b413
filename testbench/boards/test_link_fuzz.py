"""A short form of `make link-fuzz`, and that it notices what it is there for."""

import pytest

from testbench.boards.link_fuzz import Fuzz, MismatchError
from testbench.boards.reference import Reference

FRAMES = 600


def test_frames_of_all_kinds_leave_a_board_that_answers() -> None:
    fuzz = Fuzz(seed=3)
    fuzz.run(FRAMES)
    assert sum(fuzz.counts.values()) >= FRAMES
    assert {"answered", "broken", "overlapping", "results"} == set(fuzz.counts)
    fuzz.board.close()


@pytest.mark.parametrize("rule", ["_next", "_is_row"])
def test_a_board_that_takes_less_or_more_than_the_model_is_noticed(
    monkeypatch: pytest.MonkeyPatch, rule: str
) -> None:
    """The model forgets a rule; then it is the board that refuses what the model takes."""
    answers = {"_next": lambda _: None, "_is_row": lambda *_: False}
    monkeypatch.setattr(Reference, rule, answers[rule])
    with pytest.raises(MismatchError, match="expected"):
        Fuzz(seed=3).run(FRAMES)

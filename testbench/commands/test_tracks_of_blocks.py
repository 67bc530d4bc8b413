"""The track on blocks: verdicts of rows by hand, and the nets that it compares."""

from collections.abc import Sequence

import numpy as np
import pytest

from toreq_hw.records.verification import TrackRow
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.studies.tracks import blocks
from toreq_hw.studies.tracks.rows import row

BASE = np.array([95.0, 95.1, 95.2])
KINDS = [arm for arm in blocks.SHAPES if arm not in blocks.CONTROLS]


def block_rows(gaps: Sequence[float], plain: float = 0.0) -> list[TrackRow]:
    """gaps: by how much each kind of block is behind; the last stands for all others."""
    found = []
    behind = dict.fromkeys(blocks.CONTROLS, 0.0)
    behind |= {arm: gaps[min(k, len(gaps) - 1)] for k, arm in enumerate(KINDS)}
    for arm, less in behind.items():
        values = list(BASE - less - plain + np.array([0, 0.1, 0]) * (less != 0))
        found.append(row("digits", arm, blocks.ACCURACY, values, control=arm in blocks.CONTROLS))
        found.append(row("digits", arm, blocks.SWEEPS, [5.0, 6.0, 7.0]))
    return found


@pytest.mark.parametrize(
    ("rows", "outcome"),
    [
        (block_rows([0.5]), "holds"),
        (block_rows([0.5, 5]), "holds within limits"),
        (block_rows([5]), "refuted"),
        (block_rows([0.5], plain=20), "not testable here"),
    ],
)
def test_blocks_are_judged_either_way(rows: Sequence[TrackRow], outcome: str) -> None:
    assert blocks.verdict(rows).outcome == outcome


def test_a_block_that_is_ahead_is_named() -> None:
    sentence = blocks.verdict(block_rows([-2, 0.5])).sentence
    assert f"Surely ahead of it: {KINDS[0]}." in sentence


@pytest.mark.parametrize("arm", blocks.SHAPES)
@pytest.mark.parametrize("inputs", [64, 300])
def test_nets_have_as_many_synapses(arm: str, inputs: int) -> None:
    most = blocks.plain(inputs, 64, (7, 6)).synapses
    found = blocks.largest(arm, inputs, 64)
    assert 0.97 * most <= found.synapses <= most
    inner = sum(c.is_self_coupling for c in found.couplings)
    assert inner == (arm in (blocks.RECURSIVE, blocks.NESTED, blocks.FRACTAL, blocks.TOROIDAL))


def test_fours_are_joined_on_every_level() -> None:
    pre, post = blocks.fours(16)
    assert np.all(pre < post)
    assert len(set(zip(pre.tolist(), post.tolist(), strict=True))) == len(pre) == 4 * 6 + 6
    assert {(0, 1), (2, 3), (0, 4), (8, 12), (12, 15)} <= set(
        zip(pre.tolist(), post.tolist(), strict=True)
    )
    assert (3, 4) not in set(zip(pre.tolist(), post.tolist(), strict=True))


def test_norms_are_taken_down_to_the_most() -> None:
    shape = blocks.modern(64, 12, (7, 6))
    trainer = Trainer(shape, Rule(initial_reach=30000), 1)
    before = [np.abs(c.parameters).max() for c in trainer.network().couplings]
    blocks.normalise(trainer, 1.0)
    after = trainer.network().couplings
    for coupling in after:
        norm = np.linalg.norm(coupling.parameters / 2.0**coupling.fraction_bits, 2)
        assert 0.8 < norm < 1.1
    assert all(np.abs(c.parameters).max() < most for c, most in zip(after, before, strict=True))

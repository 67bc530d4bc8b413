"""The study of broken cores: its page and its verdict, from records made by hand."""

from dataclasses import replace
from pathlib import Path

from toreq_hw.records.core_relearning import CoreRelearning, CoreRelearnings
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.studies.core_relearning import STUDY, damages
from toreq_hw.studies.ledger_rows import ROWS
from toreq_hw.studies.study import find


def made(damage: str, seed: int, after: float, learned: float) -> CoreRelearning:
    return CoreRelearning(
        weights="int8",
        damage=damage,
        seed=seed,
        layers=(),
        broken_latents=23,
        latents=230,
        before=0.975,
        accuracy=(after, learned),
        samples=1000,
        phases_at_limit=7,
        cycles=10,
        difference=None,
    )


RECORD = CoreRelearnings(
    data="digits",
    split="test",
    shape=(64, 32, 10),
    lanes=8,
    learn_lanes=2,
    max_sweeps=60,
    latent_bits={"int8": 16},
    test_images=359,
    runs=(
        made("none", 1, 0.975, 0.97),
        made("none", 2, 0.975, 0.97),
        made("dead", 1, 0.50, 0.90),
        made("dead", 2, 0.60, 0.92),
    ),
    versions={"python": "3"},
)


def test_the_page_has_what_was_before_and_after_and_what_stays(tmp_path: Path) -> None:
    page = STUDY.page(RECORD)
    assert STUDY.verdict(RECORD).passed
    assert "4 cores were trained, broken and learned on, 4,000 samples" in page.lead
    (table,) = [s.table for s in page.sections if s.table]
    assert table.header[:4] == ("damage", "before, %", "after, and without learning", "epoch 1")
    name, before, after, epoch, change, outcome, hit, limit = table.rows[1]
    assert (name, before, hit, limit) == ("dead", "97.50 ± 0.00", "10.0", "14")
    assert after.startswith("55.00 ± ")
    assert epoch.startswith("91.00 ± ")
    assert change.startswith("+36.00 ± ")
    assert outcome == "not clear"  # two seeds: 36 points, give or take 51
    (picture,) = page.sections[1].pictures
    assert "<svg" in picture
    write_markdown(page, tmp_path / "page.md")
    assert "| dead " in (tmp_path / "page.md").read_text()


def test_the_lead_counts_what_gained_stayed_and_lost() -> None:
    """By the interval of each seed's own change; the control is none of them."""
    runs = (
        *RECORD.runs[:2],
        *(made("dead", seed, 0.50, 0.90 + seed / 100) for seed in (1, 2)),
        *(made("lost", seed, 0.90, 0.80 + seed / 100) for seed in (1, 2, 3)),
        *(made("lower", seed, 0.90, 0.75 + seed / 20) for seed in (1, 2)),
        made("alone", 1, 0.50, 0.90),
    )
    page = STUDY.page(replace(RECORD, runs=runs))
    assert page.lead.startswith(
        "Of 4 kinds of damage 1 gained accuracy by learning on, last epoch against right after the "
        "damage, 1 lost some, and 2 did not change clearly; in 1 of these the mean fell."
    )
    (table,) = [s.table for s in page.sections if s.table]
    where = table.header.index("by learning")
    assert {row[0]: row[where] for row in table.rows} == {
        "none": "LOST",
        "dead": "gained",
        "lost": "LOST",
        "lower": "not clear, LOWER",
        "alone": "not clear",
    }
    assert "wide ones may pass 100 %" in page.sections[0].text


def test_a_difference_is_named_and_fails() -> None:
    wrong = replace(RECORD.runs[2], difference="epoch 8, behind sample 200: coupling 'a-b', row 1")
    found = STUDY.verdict(replace(RECORD, runs=(*RECORD.runs[:2], wrong)))
    assert not found.passed
    assert "1 of 3 cores differ" in found.sentence
    assert "int8, dead, seed 1: epoch 8, behind sample 200" in found.sentence
    assert STUDY.page(replace(RECORD, runs=(wrong,))).title.startswith("What broken cores")


def test_damages_are_of_the_bits_that_are_kept_and_begin_with_none() -> None:
    found = damages(8, 3)
    assert next(iter(found.items())) == ("none", ())
    assert all(layer.seed == 3 for layers in found.values() for layer in layers)
    assert {getattr(layer, "bits", 8) for layers in found.values() for layer in layers} == {8}
    assert find()["core-relearning"].usage == "toreq-hw study core-relearning"
    assert ROWS["core-relearning"] is CoreRelearning

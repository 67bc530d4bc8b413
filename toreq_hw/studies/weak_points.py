"""What `make robustness` measures beside campaigns: recovery, and which weights matter most."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from toreq_hw import data, network
from toreq_hw.data import Dataset
from toreq_hw.network import WeightFormat
from toreq_hw.records.critical import BitFlips, Critical, SingleFlip, SingleFlips
from toreq_hw.records.recovery import Relearning
from toreq_hw.sim.campaign.critical import bit_damage, critical_weights
from toreq_hw.sim.campaign.recovery import EvaluationSet, asymmetry, harden, relearn
from toreq_hw.sim.campaign.single_flips import single_flips
from toreq_hw.sim.learning import Trainer
from toreq_hw.sim.learning.recipes import recipe
from toreq_hw.sim.learning.training_samples import TrainingSamples
from toreq_hw.sim.perturbation import DeadNeurons, StuckWeights
from toreq_hw.sim.perturbation.lines import lines_of
from toreq_hw.studies.screen import NO_SCREEN, Screen

RELEARN_EPOCHS = {"digits": 5, "mnist": 3, "fashion-mnist": 3}
HARDEN_RATE = 0.1
HARDEN_PERIOD = {"digits": 50, "mnist": 500, "fashion-mnist": 500}
"""Samples a draw of damage lasts in training."""

ASYMMETRIES = (0.0, 0.05, 0.1, 0.2, 0.5)
ASYMMETRY_EPOCHS = {"digits": 40}
"""Only where a training is short: each level is one of its own."""

CRITICAL_SAMPLES = 500
"""Test images that critical lines, bits and weights are measured on."""

EXHAUSTIVE = 20_000
"""Cells up to which every stored bit is flipped; of more, `SAMPLED_CELLS` are drawn."""

SAMPLED_CELLS = 3000
WORST = 12
"""Flips listed one by one."""

QUANTILES = (0, 25, 50, 75, 90, 95, 98, 99, 99.5, 100)


Map = tuple[tuple[float, ...], ...]


def recovery(
    dataset: Dataset,
    trainer: Trainer,
    evaluation: EvaluationSet,
    seed: int,
    *,
    quick: bool,
    screen: Screen = NO_SCREEN,
) -> Relearning:
    """Learning on after damage and, unless quick, learning with damage and with uneven steps."""
    settings = recipe(WeightFormat.TERNARY, dataset.pixels)
    training = TrainingSamples(
        data.encode(dataset.train.images, dataset.pixel_max, trainer.blueprint.input),
        dataset.train.labels,
        dataset.shape,
        settings.augment,
    )
    damages: list[DeadNeurons | StuckWeights] = [DeadNeurons(0.5, seed), StuckWeights(0.2, seed)]
    relearned = RELEARN_EPOCHS[dataset.name]
    uneven = 0 if quick else ASYMMETRY_EPOCHS.get(dataset.name, 0)
    epochs = relearned * len(damages)
    if not quick:
        epochs += settings.epochs + uneven * len(ASYMMETRIES)
    hardening = unevenness = None
    with screen.bar("learning with damage", epochs * len(training.inputs)) as bar:

        def watch(progress: Any) -> None:
            bar.advance(progress.samples)

        recoveries = tuple(
            relearn(trainer, damage, training, evaluation, relearned, watch) for damage in damages
        )
        if not quick:
            period = HARDEN_PERIOD[dataset.name]
            hardening = harden(
                trainer,
                rate=HARDEN_RATE,
                period=period,
                training=training,
                evaluation=evaluation,
                epochs=settings.epochs,
                watch=watch,
            )
        if uneven:
            unevenness = asymmetry(trainer, ASYMMETRIES, training, evaluation, uneven, watch)
    return Relearning(recoveries, hardening, unevenness)


def critical(
    net: network.Network, evaluation: EvaluationSet, seed: int, screen: Screen = NO_SCREEN
) -> Critical:
    """Which input lines, which bits and which single weights matter most."""
    inputs, labels = (
        evaluation.inputs[:CRITICAL_SAMPLES],
        evaluation.labels[:CRITICAL_SAMPLES],
    )
    weights = sum(c.parameters.size for c in net.couplings)
    sample = None if weights <= EXHAUSTIVE else SAMPLED_CELLS
    with screen.bar("critical weights", net.input.size + (sample or weights)) as bar:
        lines = critical_weights(net, inputs, labels, bar.advance)
        flips = single_flips(net, inputs, labels, sample=sample, seed=seed, watch=bar.advance)
    bits = bit_damage(net, inputs, labels, rate=0.1, trials=8, seed=seed)
    return Critical(
        critical_lines=tuple(np.round(lines, 3).tolist()),
        critical_bits=tuple(bits),
        single_flips=SingleFlips(
            images=len(labels),
            exhaustive=sample is None,
            cells=sample or weights,
            quantiles=QUANTILES,
            bits=_by_bit(flips),
            worst=tuple(sorted(flips, key=lambda f: -f.distance)[:WORST]),
            maps=_maps(net, flips) if sample is None else {},
        ),
    )


def _by_bit(flips: Sequence[SingleFlip]) -> tuple[BitFlips, ...]:
    """Per coupling and bit how far a flip drives the equilibria, in per cent of the range."""
    found = []
    for coupling, bit in sorted({(f.coupling, f.bit) for f in flips}):
        these = [f for f in flips if (f.coupling, f.bit) == (coupling, bit)]
        distance = [100 * f.distance for f in these]
        found.append(
            BitFlips(
                coupling=coupling,
                bit=bit,
                flips=len(these),
                mean_distance=float(np.mean(distance)),
                distance=tuple(np.round(np.percentile(distance, QUANTILES), 5).tolist()),
                unnoticed=sum(f.moved == 0 for f in these),
                reclassifying=sum(f.reclassified > 0 for f in these),
                most_lost=-min(f.correct for f in these),
            )
        )
    return tuple(found)


def _maps(net: network.Network, flips: Sequence[SingleFlip]) -> dict[str, Map]:
    """Per coupling the distance, in per cent, that the worse bit of each cell causes."""
    maps = {}
    for coupling in net.couplings:
        lines = lines_of(coupling)
        maps[coupling.name] = np.zeros((lines.rows, lines.columns))
    for flip in flips:
        worst = maps[flip.coupling]
        worst[flip.row, flip.column] = max(worst[flip.row, flip.column], 100 * flip.distance)
    return {name: tuple(map(tuple, np.round(worst, 4).tolist())) for name, worst in maps.items()}

"""Backpropagation of the shape of a case: the same formats, epochs and moved images."""

import statistics
from dataclasses import replace

from toreq_hw.data import Dataset
from toreq_hw.records.structured import StructuredRun
from toreq_hw.studies.screen import Screen
from toreq_hw.studies.structured_case import Case

BACKPROP = "backprop"

ATTENTION_BATCH, ATTENTION_RATE = 8, 4e-3
"""Batch size and learning rate on sequences, of few trials on held-out ones; those of images are
the trainer's own."""


def by_backprop(case: Case, dataset: Dataset, seed: int, screen: Screen) -> StructuredRun:
    """One training in torch, measured on the data set's test samples; its sums are floats.

    Raises InputError for a shape that cannot be computed once from input to output.
    """
    from toreq_hw.quant.options import Rule, TrainingOptions

    blank = case.network()
    options = TrainingOptions(
        hidden=tuple(p.size for p in blank.relaxing[:-1]),
        weight_format=case.weights,
        rule=Rule.BACKPROP,
        epochs=case.epochs,
        beta_shift=blank.beta_shift,
        augment=case.augment,
        mirror=case.mirror,
        seed=seed,
    )
    if blank.terms:
        from toreq_hw.quant.attention_backprop import train_attention

        options = replace(options, batch_size=ATTENTION_BATCH, learning_rate=ATTENTION_RATE)
        attended = train_attention(options, dataset, blank)
        network, accuracy, seconds = attended.network, attended.accuracy, attended.seconds
        train_accuracy = attended.train_accuracy
    else:
        from toreq_hw.studies.torch_training import train_torch

        training = train_torch(options, dataset, screen=screen, blank=blank)
        network, accuracy = training.network, training.accuracy
        train_accuracy = training.epochs[-1].training_accuracy
        seconds = tuple(epoch.seconds for epoch in training.epochs)
    return StructuredRun(
        case=case.name,
        learner=BACKPROP,
        seed=seed,
        split=dataset.split,
        epochs=case.epochs,
        accuracy=accuracy,
        train_accuracy=train_accuracy,
        epoch_seconds=statistics.median(seconds),
        sparsity=network.sparsity,
        network_sha256=network.sha256,
    )

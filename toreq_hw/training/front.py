"""`train`: one front door to both engines, and what comes out of it."""

import time
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from toreq_hw import network, sim
from toreq_hw.argument_types import named_type_errors, of_fitting_types
from toreq_hw.contract.ticks import Observer
from toreq_hw.data import Dataset, input_states
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.sim.summary import summarise
from toreq_hw.suggestions import none_of
from toreq_hw.training.integer import IntegerSettings, begin, learn_epochs, training_samples
from toreq_hw.training.offline import train_offline
from toreq_hw.training.reports import Callbacks, EpochReport, UpdateReport
from toreq_hw.training.request import Request, Trained, Voice, trained, typed

ENGINES = ("integer", "torch")


@named_type_errors
def train(
    dataset: Dataset | str | Any,
    *,
    engine: str = "integer",
    test: Any = None,
    shape: Network | str | Path | None = None,
    start: Network | None = None,
    seed: int = 1,
    on_epoch: Callable[[EpochReport], object] | None = None,
    on_update: Callable[[UpdateReport], object] | None = None,
    observers: Sequence[Observer] = (),
    verbose: int = 1,
    **settings: Any,
) -> Trained:
    """Trains a network; the recipe follows from data and weights, and is printed.

    dataset: a `Dataset`, a text as `data.load` takes it, what `data.of_arrays` takes, or for torch
    a torch Dataset or DataLoader, with `test` another one. engine: integer, the on-chip rule, one
    sample at a time; or torch, in batches. shape: a blank network, or a TOML file that describes
    one. start: a network to go on from. on_epoch: told of each epoch; True, or `StopTraining`, ends
    the training. on_update: told of each update of the weights. observers:
    told of each tick, of the integer engine. verbose: 0 says nothing, 1 the recipe, 2 each epoch
    too. settings: those of `IntegerSettings`, or of `quant.TrainingOptions` with torch.

    Raises InputError for a setting that the engine does not have, and what its parts raise.
    """
    if engine not in ENGINES:
        raise InputError(none_of("engine", engine, ENGINES))
    callbacks = Callbacks(on_epoch, on_update, tuple(observers))
    blank = network.load_description(shape) if isinstance(shape, str | Path) else shape
    if blank is not None and start is not None:
        raise InputError("shape must be left out with start, which keeps its own")
    said = Voice(verbose)
    run = _integer if engine == "integer" else train_offline
    request = Request(
        dataset=dataset, test=test, blank=blank, start=start, seed=seed, settings=settings
    )
    return run(request, callbacks, said)


def _integer(request: Request, callbacks: Callbacks, said: Voice) -> Trained:
    """With the on-chip rule."""
    if "batch_size" in request.settings:
        raise InputError(
            "batch_size must be left out with engine integer: the contract updates every weight "
            "after each sample, whose rounding follows from all updates before"
        )
    request.check_settings([f.name for f in fields(IntegerSettings)], "integer")
    dataset = request.loaded("integer")
    began = time.perf_counter()
    settings = of_fitting_types(IntegerSettings, **typed(request.settings))
    begun = begin(dataset, settings, request.seed, request.start, request.blank)
    said.recipe(str(begun))
    trainer = begun.trainer
    augment, mirror = begun.recipe.augment, settings.mirror
    training = training_samples(trainer.blueprint, dataset, augment, mirror=mirror)
    tests = input_states(trainer.blueprint, dataset.test.images, dataset.pixel_max)
    labels = dataset.test.labels
    history = []
    for report in learn_epochs(
        trainer, training, begun.epochs, test=(tests, labels), callbacks=callbacks
    ):
        history.append(report)
        said.epoch(report)
    net = trainer.network()
    accuracy = summarise(sim.relax(net, tests), labels).accuracy
    return trained(
        engine="integer",
        net=net,
        recipe=str(begun),
        dataset=dataset,
        history=history,
        accuracy=accuracy,
        began=began,
    )

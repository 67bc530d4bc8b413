"""Training on torch tensors: settings, callbacks, and what came of it."""

import time
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

from toreq_hw import data, sim
from toreq_hw.argument_types import of_fitting_types
from toreq_hw.contract.results import differing_samples
from toreq_hw.data import Dataset, is_in_memory
from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.network import Network
from toreq_hw.records.parity import Epoch
from toreq_hw.training.ends import check_ends, check_rows
from toreq_hw.training.reports import Callbacks, EpochReport, UpdateReport
from toreq_hw.training.request import Request, Trained, Voice, trained, typed

if TYPE_CHECKING:
    from toreq_hw.quant.options import TrainingOptions
    from toreq_hw.quant.training import Training, Update


_FEW, _UPDATES, _LEAST_BATCH = 1024, 32, 4
"""Below so many samples an epoch has about so many updates, of batches of so many or more."""


def require_torch(what: str) -> None:
    """Raises MissingDependencyError where torch or Brevitas is not installed."""
    try:
        import brevitas  # noqa: F401 - only whether it is there
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        raise missing(what, error.name, "quant") from error


def torch_options(
    given: dict[str, Any], seed: int, known: Network | None, samples: int
) -> "TrainingOptions":
    """The trainer's own defaults under what is given; the shape is that of `known`, if there is.

    given: fields of `TrainingOptions` by name; None stands for the default. samples: that train;
    a few make smaller batches, so that an epoch has updates enough (chosen on held-out rows).
    """
    from toreq_hw.quant.options import TrainingOptions

    chosen = {name: value for name, value in given.items() if value is not None}
    if samples < _FEW:
        chosen = {"batch_size": max(_LEAST_BATCH, samples // _UPDATES)} | chosen
    if known:
        from toreq_hw.quant.starting import shape_options

        chosen = {"beta_shift": known.beta_shift} | chosen | shape_options(known)
    return of_fitting_types(TrainingOptions, seed=seed, **chosen)


def torch_settings() -> tuple[str, ...]:
    """Names of what `torch_options` takes."""
    from toreq_hw.quant.options import TrainingOptions

    return tuple(field.name for field in fields(TrainingOptions) if field.name != "seed")


def torch_recipe(options: "TrainingOptions", dataset: Dataset) -> str:
    """The settings of a training, in words."""
    from toreq_hw.quant.options import default_fraction_bits, populations

    ends = populations(options, dataset.pixels, dataset.classes)
    sizes = "-".join(str(population.size) for population in ends)
    chosen = options.fraction_bits or default_fraction_bits(options.weight_format, ends)
    bits = ", ".join(map(str, chosen))
    return (
        f"{sizes} {options.weight_format.value}, {options.rule.value}, fraction bits {bits}, "
        f"batches of {options.batch_size}, Adam from {options.learning_rate:g}, nudge "
        f"2^-{options.beta_shift}, epochs {options.epochs}"
    )


def differing_images(training: "Training", dataset: Dataset) -> int:
    """Test images on which any state, or the class, in the simulator is not the trainer's.

    Raises InputError for a training by backpropagation, which relaxes nothing.
    """
    from toreq_hw.quant.evaluation import free_phase_of
    from toreq_hw.quant.options import Rule

    if training.options.rule is not Rule.EQPROP:
        raise InputError("a training must be by eqprop to be compared with the simulator")
    inputs = data.input_states(training.network, dataset.test.images, dataset.pixel_max)
    states, sums = free_phase_of(training.parameters, inputs)
    found = sim.PhaseResult(training.network, states, readout=sums)
    expected = sim.free_phase(training.network, inputs)
    return int(differing_samples(expected, found).sum())


def train_offline(request: Request, callbacks: Callbacks, said: Voice) -> Trained:
    """On torch tensors, in batches."""
    require_torch("engine torch")
    if callbacks.observers:
        raise InputError(
            "observers must be left out with engine torch, whose batches settle without a view "
            "of single ticks; watch the trained network with toreq_hw.sim.session.Session"
        )
    given = dict(request.settings)
    if "weights" in given:
        given["weight_format"] = typed({"weights": given.pop("weights")})["weights"]
    replace(request, settings=given).check_settings(torch_settings(), "torch")
    known = request.start or request.blank
    dataset, loader = _loaded(request, given)
    check_rows(1, "engine torch", dataset)
    options = torch_options(typed(given), request.seed, known, len(dataset.train))
    if loader is not None:
        options = replace(options, batch_size=loader.batch_size or 1)
    began = time.perf_counter()
    return _offline(_Offline(options, dataset, loader, request), callbacks, said, began)


@dataclass(frozen=True, eq=False)
class _Offline:
    """A training on torch tensors that can begin."""

    options: Any
    dataset: Dataset
    loader: Any
    request: Request


def _loaded(request: Request, given: dict[str, Any]) -> tuple[Dataset, Any]:
    """The data set, and the DataLoader that trains, where it was one."""
    from toreq_hw.quant.loaders import is_torch_data, load_torch

    found = request.dataset
    if isinstance(found, Dataset | str) or is_in_memory(found) or not is_torch_data(found):
        return request.loaded("torch"), None
    found = load_torch(found, request.test)
    known = request.start or request.blank
    if known is not None:
        check_ends(known, "network", found.dataset)
    for name in ("batch_size", "augment", "mirror") if found.loader is not None else ():
        if name in given:
            raise InputError(f"{name} must be left out with a DataLoader, which has its own")
    return found.dataset, found.loader


def _offline(work: _Offline, callbacks: Callbacks, said: Voice, began: float) -> Trained:
    """Trains, and asks the simulator."""
    from toreq_hw.quant.options import Rule
    from toreq_hw.quant.training import train

    options, dataset, request = work.options, work.dataset, work.request
    told = _Told(options.epochs, callbacks, said)
    recipe = torch_recipe(options, dataset)
    said.recipe(recipe)
    training = train(
        options,
        dataset,
        told.epoch,
        request.start,
        request.blank,
        on_update=told.update,
        loader=work.loader,
    )
    net = training.network
    net = replace(net, encoding=dataset.encoding_of(net.input))
    found = trained(
        engine="torch",
        net=net,
        recipe=recipe,
        dataset=dataset,
        history=told.history,
        accuracy=training.accuracy,
        began=began,
    )
    if options.rule is not Rule.EQPROP:
        return found
    return replace(found, differing=differing_images(training, dataset))


class _Told:
    """Passes on what the trainer tells, as reports of both engines, and keeps the epochs."""

    def __init__(self, epochs: int, callbacks: Callbacks, said: Voice) -> None:
        self._epochs, self._callbacks, self._said = epochs, callbacks, said
        self.history: list[EpochReport] = []

    def epoch(self, index: int, epoch: Epoch) -> bool:
        """An epoch has ended; whether the training does."""
        report = EpochReport(
            epoch=index + 1,
            epochs=self._epochs,
            accuracy=epoch.training_accuracy,
            sweeps_per_phase=epoch.slowest_sweeps,
            seconds=epoch.seconds,
        )
        self.history.append(report)
        ends = self._callbacks.epoch(report)
        self._said.epoch(report)
        return ends

    def update(self, update: "Update") -> None:
        """A batch was learned."""
        if self._callbacks.on_update is None:
            return
        report = UpdateReport(
            epoch=update.epoch + 1,
            update=update.number + 1,
            samples=update.samples,
            correct=update.correct,
            sweeps=update.sweeps,
        )
        self._callbacks.on_update(report)

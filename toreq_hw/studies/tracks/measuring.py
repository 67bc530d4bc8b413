"""How a track measures: cases over seeds through the ledger, with networks that tracks share."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from toreq_hw import data, network, sim
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data import Dataset, sentences
from toreq_hw.locks import lock
from toreq_hw.network import Network, WeightFormat
from toreq_hw.reached_code import digest_of_reached
from toreq_hw.records.verification import TrackRow, TrackRun
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.study import Place
from toreq_hw.studies.tracks import rows
from toreq_hw.studies.tracks.track import Measured, Settings
from toreq_hw.training import train
from toreq_hw.training.offline import require_torch
from toreq_hw.versions import versions

HIDDEN = {
    "digits": 64,
    "cartpole": 64,
    "acrobot": 64,
    "mnist": 128,
    "fashion-mnist": 128,
    "sst2": 64,
}
EPOCHS = {"digits": 20, "cartpole": 6, "acrobot": 6, "mnist": 4, "fashion-mnist": 4, "sst2": 2}
"""Neurons and epochs of networks that tracks share: small, so that five seeds of each take minutes.
They were not searched; every other setting is the recipe's, chosen on held-out training images."""


CLONED = ("cartpole", "acrobot")
"""Tasks whose experts are cloned: their data sets are made, by a library of an extra."""

DIGITS = 9
"""Of a value that a ledger keeps."""

PRINTED = 6
"""Of a value that a record keeps, which no figure needs more of."""


@cache
def load(name: str) -> Dataset:
    """A data set, or the decisions of an expert that a network clones (of `quant.parity`)."""
    if name == sentences.NAME:
        return sentences.bag_of_words(*sentences.load_sentences())
    if name not in CLONED:
        return data.load(name)
    require_torch("this track")
    from toreq_hw.quant.parity import dataset

    return dataset(name)


@dataclass(frozen=True)
class Case:
    """One thing that is measured with every seed."""

    data: str
    arm: str
    control: bool = False


@dataclass(frozen=True)
class Context:
    """What a run is done with. work: folder of the ledger; trained networks lie in `networks`."""

    settings: Settings
    work: Path

    def dataset(self, name: str) -> Dataset:
        """A data set with as many test samples as the settings allow."""
        whole = load(name)
        if self.settings.samples is None or self.settings.samples >= len(whole.test):
            return whole
        first = slice(0, self.settings.samples)
        return replace(whole, test=whole.test.take(first))

    def offline(
        self, name: str, seed: int, dataset: Dataset | None = None, **given: Any
    ) -> Network:
        """A network trained on torch tensors, at the settings of `quant.parity` unless said.

        dataset: what it learns in place of the whole data set `name`.
        """
        require_torch("this track")
        from toreq_hw.quant.parity import SETTINGS

        usual = SETTINGS[name][WeightFormat.INT8]
        rates = {"batch_size": usual.batch_size, "learning_rate": usual.learning_rate}
        chosen = {"engine": "torch", "weights": WeightFormat.INT8, **rates, **given}
        return self.trained_on(dataset or load(name), name, seed, **chosen)

    def trained(self, name: str, seed: int, **given: Any) -> Network:
        """A network trained on the training samples of the data set `name`; see `trained_on`."""
        return self.trained_on(load(name), name, seed, **given)

    def trained_on(
        self,
        dataset: Dataset,
        name: str,
        seed: int,
        *,
        engine: str = "integer",
        shuffled: bool = False,
        **given: Any,
    ) -> Network:
        """A network trained on these training samples, kept in the work folder.

        name: of the data set that they are of. given: settings of `toreq_hw.training.train`; hidden
        and epochs are as above unless said. shuffled: whether labels are those of other samples,
        drawn by the seed. Another process that trains the same network is waited for.
        """
        chosen: dict[str, object] = dict(given)
        if "epochs" not in chosen:
            chosen["epochs"] = EPOCHS[name]
        if not {"shape", "start", "hidden"} & chosen.keys():
            chosen["hidden"] = (HIDDEN[name],)
        dataset = in_other_order(dataset, seed) if shuffled else dataset
        path = self.work / "networks" / f"{_name(dataset, seed, engine, chosen)}.safetensors"
        with lock(path):
            if not path.exists():
                if engine == "torch":
                    one_thread()
                run = partial(train, dataset, engine=engine, seed=seed, verbose=0)
                network.save(run(**chosen).network, path)  # type: ignore[arg-type] # by name
        return network.load(path)


@dataclass(frozen=True, eq=False)
class Tests:
    """The test samples of a data set, as one network takes them."""

    dataset: Dataset
    net: Network

    @cached_property
    def inputs(self) -> npt.NDArray[np.int16]:
        """int16 (samples, input.size)."""
        return data.input_states(self.net, self.dataset.test.images, self.dataset.pixel_max)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """int64 (samples,)."""
        return self.dataset.test.labels

    @cached_property
    def classes(self) -> npt.NDArray[np.int64]:
        """That the network names when it has settled, int64 (samples,)."""
        return sim.relax(self.net, self.inputs).classes

    def accuracy(self, classes: npt.NDArray[np.int64]) -> float:
        """In per cent. classes: int64 (samples,)."""
        return 100 * float(np.mean(classes == self.labels))


Do = Callable[[Case, int, Context], Mapping[str, float]]
"""One case with one seed: values by the name of the quantity with its unit. A function of a module:
its runs are kept while no code that it reaches changes, such as its verdict's."""


def measure(do: Do, cases: Sequence[Case], settings: Settings, place: Place) -> Measured:
    """Every case with every seed, where the ledger does not hold it.

    do: a function of a track's file. Runs are done on the workers of `work.workers`, if any.
    """
    sets = dict.fromkeys(case.data for case in cases)
    shared = {
        "track": do.__module__.rpartition(".")[2],
        "quick": settings.quick,
        "samples": settings.samples,
        "broken": settings.broken,
        "data": {name: load(name).sha256 for name in sets},
        "code": digest_of_reached(do, _one),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "verification", shared, TrackRun)
    runs: list[Run] = [
        {"data": case.data, "arm": case.arm, "seed": seed}
        for case in cases
        for seed in range(1, settings.seeds + 1)
    ]
    by_name = {(case.data, case.arm): case for case in cases}
    one = partial(_one, do, by_name, Context(settings, place.work))
    with (
        ledger.lock(place.screen.say),
        place.screen.bar(str(shared["track"]), len(runs)) as bar,
    ):
        found = ledger.complete(runs, one, lambda done, _: bar.show(done))
    return Measured(gathered(cases, found), sum(run.seconds for run in found))


def gathered(cases: Sequence[Case], runs: Sequence[TrackRun]) -> tuple[TrackRow, ...]:
    """Rows of runs, which are those of the cases in their order, each with all seeds."""
    seeds = len(runs) // len(cases) if cases else 0
    found = []
    for number, case in enumerate(cases):
        own = runs[number * seeds : (number + 1) * seeds]
        for quantity in own[0].values:
            values = [float(f"{run.values[quantity]:.{PRINTED}g}") for run in own]
            found.append(rows.row(case.data, case.arm, quantity, values, control=case.control))
    return tuple(found)


def _one(do: Do, cases: Mapping[tuple[str, str], Case], context: Context, run: Run) -> TrackRun:
    """One run, wherever it is done."""
    began = time.perf_counter()
    case = cases[str(run["data"]), str(run["arm"])]
    values = do(case, int(run["seed"] or 0), context)
    plain = {name: float(f"{value:.{DIGITS}g}") for name, value in values.items()}
    return TrackRun(plain, time.perf_counter() - began)


def in_other_order(dataset: Dataset, seed: int) -> Dataset:
    """The data set with the labels of its training samples in another order."""
    order = np.random.default_rng(seed).permutation(len(dataset.train))
    return replace(dataset, train=replace(dataset.train, labels=dataset.train.labels[order]))


def one_thread() -> None:
    """Sums of torch depend on the number of its threads."""
    require_torch("this track")
    import torch

    torch.set_num_threads(1)


def _name(dataset: Dataset, seed: int, engine: str, given: Mapping[str, object]) -> str:
    """Of a kept network: everything that its weights depend on."""
    told = {
        key: value.sha256 if isinstance(value, Network) else value for key, value in given.items()
    }
    code = digest_of_imports("toreq_hw.training")
    known = versions("torch")
    libraries = [known.get(one) for one in ("numpy", "numba", "torch")]
    facts = [dataset.sha256, seed, engine, told, code, libraries]
    text = json.dumps(facts, sort_keys=True, default=str)
    return f"{dataset.name}-{seed}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"

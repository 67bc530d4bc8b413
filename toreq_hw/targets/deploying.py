"""One deployment: a network and samples on a target, and the record of what was found."""

import time
from dataclasses import dataclass
from typing import Any

from toreq_hw import data
from toreq_hw.argument_types import named_type_errors
from toreq_hw.data import Dataset
from toreq_hw.errors import InputError
from toreq_hw.network import Network
from toreq_hw.records.deployment import DeployedData, DeployedNetwork, DeploymentRun
from toreq_hw.targets.registry import all_targets, get
from toreq_hw.targets.target import Options, Outcome, Samples, Target
from toreq_hw.versions import versions


@dataclass(frozen=True)
class Deployed:
    """A deployment that ran. run: what every target says. outcome: what this one found."""

    target: Target
    run: DeploymentRun
    outcome: Outcome

    @property
    def passed(self) -> bool:
        """Whether every check held."""
        return self.outcome.passed


@named_type_errors
def deploy(
    network: Network,
    samples: Samples,
    target: Target | str = "sim",
    options: Options | None = None,
    *,
    path: str = "",
) -> Deployed:
    """Runs samples on a target and checks every state of every tick against the simulator.

    target: one of `names()`, or itself. path: of the network's file, for the record.
    Raises InputError for an unknown target or an option that it does not take. NetworkError: where
    it cannot carry the network; MissingDependencyError: where it cannot run here.
    """
    chosen = options or Options()
    found = able_target(target, chosen.threshold)
    begin = time.perf_counter()
    outcome = found.run(network, samples, chosen)
    run = DeploymentRun(
        target=found.name,
        passed=outcome.passed,
        network=DeployedNetwork(path, network.sha256, **network.describe()),
        threshold=chosen.threshold,
        seed=outcome.seed,
        data=DeployedData(samples.data, samples.split, "test", samples.sha256),
        versions=versions(*found.packages, *outcome.packages),
        notes=outcome.notes,
        duration_s=round(time.perf_counter() - begin, 3),
    )
    return Deployed(found, run, outcome)


def able_target(name: Target | str, threshold: int | None) -> Target:
    """The target, or that called `name`, where it takes the threshold and can run here.

    Raises InputError and MissingDependencyError as `deploy` does.
    """
    target = get(name) if isinstance(name, str) else name
    if threshold is not None and not target.lossy:
        able = ", ".join(t.name for t in all_targets() if t.lossy)
        raise InputError(f"threshold must go with one of {able}, not with {target.name}")
    target.require()
    return target


@named_type_errors
def samples_of(network: Network, dataset: Dataset | str | Any, count: int | None = None) -> Samples:
    """The first `count` test samples of a data set, all if None, encoded as the network says.

    dataset: or its name, as `data.load` takes it, or what `data.of_arrays` does.
    Raises DataError and InputError.
    """
    loaded: Any = dataset
    if isinstance(dataset, str):
        loaded = data.load(dataset, network.encoding)
    elif data.is_in_memory(dataset):
        loaded = data.of_arrays(dataset, network.encoding)
    test = loaded.test.take(slice(0, count))
    inputs = data.input_states(network, test.images, loaded.pixel_max)
    return Samples(loaded.name, loaded.split, inputs, test.labels)

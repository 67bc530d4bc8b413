"""The Python API of networks, data and the simulator: nonsense is refused in one line, by name."""

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from testbench.nonsense import tracebacks
from toreq_hw import data, network, sim
from toreq_hw.contract.energy import doubled_energy
from toreq_hw.data import Dataset, Split
from toreq_hw.errors import ToreqError
from toreq_hw.network import (
    Coupling,
    DenseCoupling,
    Network,
    Population,
    Role,
    Schedule,
    WeightFormat,
    check_labels,
    check_starts,
    layered,
)
from toreq_hw.sim.baselines.feed_forward_training import train_feed_forward
from toreq_hw.sim.baselines.float_eqprop import FloatNetwork
from toreq_hw.sim.baselines.float_training import float_accuracy, train_float
from toreq_hw.sim.campaign.critical import critical_weights
from toreq_hw.sim.campaign.planning import Plan
from toreq_hw.sim.campaign.recovery import EvaluationSet
from toreq_hw.sim.campaign.single_flips import single_flips
from toreq_hw.sim.learning import Rule, Trainer, checkpoint
from toreq_hw.sim.perturbation import (
    KINDS,
    Disturbance,
    disturb,
    disturbance,
    disturbed_engine,
    from_json,
    make_layer,
    program,
    relax_with,
)
from toreq_hw.sim.state_flip import flip_one_bit, relax_after_flip
from toreq_hw.sim.summary import summarise

NET = layered((4, 3, 2), WeightFormat.INT8, (4, 4))
INPUTS = np.array([[0, 1, 2, 255], [3, 4, 5, 6]], dtype=np.int16)
LABELS = np.array([0, 1])
FREE = sim.free_phase(NET, INPUTS)
DRIVE = np.zeros((2, 2), np.int32)
LAYERS = [make_layer("dead_neurons", level=0.5)]
POPULATION = {"name": "a", "size": 3, "role": Role.HIDDEN, "state_bits": 8, "signed": False}
SPLIT = Split(np.zeros((2, 4), np.uint8), LABELS)


def trainer() -> Trainer:
    return Trainer(NET, Rule(), 1)


RELAX = {"network": NET, "inputs": INPUTS, "engine": "dense", "threshold": 0, "trace": False}

CALLS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Population": (Population, POPULATION),
    "DenseCoupling": (
        DenseCoupling,
        {
            "pre": "input",
            "post": "hidden",
            "weight": np.zeros((4, 3), np.int8),
            "fraction_bits": 3,
            "weight_format": WeightFormat.INT8,
        },
    ),
    "Network": (
        Network,
        {
            "populations": NET.populations,
            "couplings": NET.couplings,
            "biases": dict(NET.biases),
            "schedule": Schedule.PARITY,
            "beta_shift": 1,
        },
    ),
    "layered": (
        layered,
        {
            "sizes": (4, 3, 2),
            "weight_format": WeightFormat.INT8,
            "fraction_bits": (4, 4),
            "state_bits": 8,
            "input_bits": 8,
            "signed": False,
            "loop_fraction_bits": None,
            "schedule": None,
            "beta_shift": 1,
        },
    ),
    "check_starts": (
        check_starts,
        {"network": NET, "states": np.zeros((1, 5), int), "samples": 1},
    ),
    "check_labels": (check_labels, {"output": NET.output, "labels": LABELS, "samples": 2}),
    "check_states": (sim.check_states, {"population": NET.input, "states": INPUTS}),
    "Split": (Split, {"images": SPLIT.images, "labels": SPLIT.labels}),
    "Dataset": (
        Dataset,
        {
            "name": "set",
            "shape": (2, 2),
            "pixel_max": 255,
            "classes": 2,
            "split": "all",
            "train": SPLIT,
            "test": SPLIT,
        },
    ),
    "holding_out": (data.load("digits").holding_out, {"count": 3}),
    "data.load": (data.load, {"name": "digits"}),
    "encode": (data.encode, {"images": INPUTS, "pixel_max": 255, "population": NET.input}),
    "make_engine": (sim.make_engine, {"network": NET, "name": "event", "threads": 1}),
    "relax": (sim.relax, {**RELAX, "states": None, "drive": DRIVE, "max_sweeps": 9}),
    "relax on": (sim.relax, {"network": NET, "inputs": INPUTS, "states": FREE.states}),
    "free_phase": (sim.free_phase, RELAX),
    "nudged_phase": (sim.nudged_phase, {**RELAX, "free": FREE, "labels": LABELS, "sign": 1}),
    "nudge": (
        sim.nudge,
        {"network": NET, "outputs": FREE.states["output"], "labels": LABELS},
    ),
    "targets": (sim.targets, {"output": NET.output, "labels": LABELS}),
    "join_results": (sim.join_results, {"parts": [FREE, FREE]}),
    "Layout": (sim.Layout, {"network": NET}),
    "join": (sim.Layout(NET).join, {"states": FREE.states}),
    "summarise": (summarise, {"relaxation": FREE, "labels": LABELS}),
    "doubled_energy": (
        doubled_energy,
        {"network": NET, "inputs": INPUTS, "states": FREE.states, "drive": DRIVE},
    ),
    "flip_one_bit": (flip_one_bit, {"relaxation": FREE, "seed": 1}),
    "relax_after_flip": (relax_after_flip, {"relaxation": FREE, "inputs": INPUTS, "seed": 1}),
    "Rule": (Rule, {f.name: getattr(Rule(), f.name) for f in fields(Rule)}),
    "Trainer": (Trainer, {"network": NET, "rule": Rule(), "seed": 1}),
    "from_network": (
        Trainer.from_network,
        {"network": NET, "rule": Rule(), "seed": 1, "epoch": 0},
    ),
    "learn": (
        lambda **given: trainer().learn(**given),
        {"inputs": INPUTS, "labels": LABELS, "order": [1, 0]},
    ),
    "take_over": (lambda other: trainer().take_over(other), {"other": trainer()}),
    "make_layer": (
        make_layer,
        {"kind": "dead_neurons", "level": 0.5, "seed": 1, "place": "hidden"},
    ),
    "from_json": (from_json, {"record": LAYERS[0].to_json()}),
    "program": (program, {"network": NET, "layers": LAYERS}),
    "disturb": (disturb, {"network": NET, "states": FREE.states, "layers": LAYERS}),
    "disturbance": (disturbance, {"network": NET, "batch": 2, "layers": LAYERS}),
    "disturbed_engine": (
        disturbed_engine,
        {"network": NET, "disturbance": Disturbance.none(NET), "name": "event"},
    ),
    "relax_with": (
        relax_with,
        {
            "network": NET,
            "inputs": INPUTS,
            "layers": LAYERS,
            "engine": "event",
            "states": FREE.states,
            "max_sweeps": 9,
            "trace": False,
        },
    ),
    "Plan": (Plan, {f.name: getattr(Plan((0.1,)), f.name) for f in fields(Plan)}),
    "EvaluationSet": (
        lambda **given: EvaluationSet(**given).accuracy(NET),
        {"inputs": INPUTS, "labels": LABELS},
    ),
    "accuracy": (EvaluationSet(INPUTS, LABELS).accuracy, {"network": NET, "layers": LAYERS}),
    "critical_weights": (
        critical_weights,
        {"network": NET, "inputs": INPUTS, "labels": LABELS},
    ),
    "single_flips": (
        single_flips,
        {"network": NET, "inputs": INPUTS, "labels": LABELS, "sample": 1, "seed": 1},
    ),
    "FloatNetwork": (FloatNetwork, {"shape": NET, "seed": 1}),
    "train_float": (
        train_float,
        {"shape": NET, "inputs": INPUTS / 255, "labels": LABELS, "epochs": 1, "seed": 1},
    ),
    "float_accuracy": (
        float_accuracy,
        {"net": FloatNetwork(NET, 1), "inputs": INPUTS / 255, "labels": LABELS},
    ),
    "train_feed_forward": (
        train_feed_forward,
        {
            "shape": NET,
            "images": INPUTS,
            "labels": LABELS,
            "image_shape": (2, 2),
            "augment": 0,
            "epochs": 1,
            "seed": 1,
        },
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_nonsense_is_refused_in_one_line(name: str) -> None:
    function, right = CALLS[name]
    assert tracebacks(function, dict(right)) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_refuses_nonsense(kind: str) -> None:
    settings = {f.name: getattr(KINDS[kind](0.0), f.name) for f in fields(KINDS[kind])}
    assert tracebacks(KINDS[kind], settings) == []


def test_files_refuse_nonsense(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    saved, kept = tmp_path / "net.safetensors", tmp_path / "run.checkpoint"
    assert tracebacks(network.save, {"network": NET, "path": saved, "run": None}) == []
    assert tracebacks(network.load, {"path": saved}) == []
    saving = {"trainer": trainer(), "path": kept, "notes": {}, "run": None}
    assert tracebacks(checkpoint.save, saving) == []
    assert tracebacks(checkpoint.load, {"path": kept}) == []


def test_the_argument_and_what_it_must_be_are_named() -> None:
    with pytest.raises(ToreqError, match=r"^relax: engine must be str \| Engine, not 5$"):
        sim.relax(NET, INPUTS, engine=5)  # type: ignore[arg-type]
    with pytest.raises(ToreqError, match=r"^Rule: decay_epochs must be tuple\[int, ...\], not 3$"):
        Rule(decay_epochs=3)  # type: ignore[arg-type]
    with pytest.raises(ToreqError, match=r"^relax: states must be .* array of int16\] \| None, no"):
        sim.relax(NET, INPUTS, states=[1])  # type: ignore[arg-type]


def test_a_coupling_without_a_kind_is_dense() -> None:
    dense = NET.couplings[0]
    assert isinstance(dense, DenseCoupling)
    settings = (dense.pre, dense.post, dense.weight, dense.fraction_bits, dense.weight_format)
    found = Coupling(*settings)  # type: ignore[abstract,call-arg]
    assert type(found) is DenseCoupling
    assert found.describe() == dense.describe()
    assert np.array_equal(found.weight, dense.weight)


def test_what_is_no_layer_is_not_left_out() -> None:
    with pytest.raises(ToreqError, match="layers must be such as make_layer gives, not 1"):
        relax_with(NET, INPUTS, [1])  # type: ignore[list-item]

"""SANA-FE's estimate: it sees every event and every synapse that the simulator counts."""

from dataclasses import replace

import numpy as np
import pytest

from testbench.lava.test_mapper import filled
from toreq_hw import network, sim
from toreq_hw.errors import InputError
from toreq_hw.lava_backend import sanafe_run
from toreq_hw.lava_backend.mapper import load_chip, map_network
from toreq_hw.lava_backend.mapper.walks import walks
from toreq_hw.lava_backend.sanafe_run import third_party_estimate
from toreq_hw.targets.chip_activity import rates_by_population

pytest.importorskip("sanafe")


def estimated(net: network.Network, samples: int = 8):
    rng = np.random.default_rng(1)
    inputs = rng.integers(0, 16, (samples, net.input.size)).astype(np.int16)
    inputs[:, ::3] = 0
    free = sim.relax(net, inputs, trace=True)
    mapping = map_network(net, load_chip("loihi2"))
    return third_party_estimate(net, inputs, free, mapping), free, inputs, mapping


def test_it_counts_what_the_simulator_counts() -> None:
    net = filled((9, 7, 6, 5), density=0.7)
    found, free, inputs, mapping = estimated(net)
    assert free.events.sum() > 20
    rates = rates_by_population(free, inputs)
    walked = sum((rates[w.source] @ w.synapses).sum() for w in walks(net, mapping))
    assert found.synops_per_sample == pytest.approx(walked)
    assert found.steps_per_sample == (free.ticks + 1).mean()
    to_two_cores = np.count_nonzero((free.trace.neuron >= 7) & (free.trace.neuron < 7 + 6))
    messages = free.events.sum() + free.input_events.sum() + to_two_cores
    assert found.messages_per_sample == messages / len(free.events)
    assert found.energy_per_sample_uj == pytest.approx(sum(found.energy_parts_uj.values()))
    synapse_uj = 35.5e-6
    assert found.energy_parts_uj["synapse"] == pytest.approx(synapse_uj * walked)


def test_an_event_that_is_not_replayed_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled((9, 7, 5))
    whole = sanafe_run._events

    def lost(inputs, free):
        found = whole(inputs, free)
        name = net.relaxing[0].name
        first = np.argwhere(found.of[name])[0]
        found.of[name][tuple(first)] = False
        return found

    monkeypatch.setattr(sanafe_run, "_events", lost)
    with pytest.raises(AssertionError):
        estimated(net)


def test_a_map_of_several_chips_is_refused() -> None:
    net = filled((9, 7, 5))
    _, free, inputs, mapping = estimated(net)
    with pytest.raises(InputError, match="on one chip of 128 cores"):
        third_party_estimate(net, inputs, free, replace(mapping, chips_used=2))

"""What the report says about cycles is what the bench of the core checks the core against."""

import numpy as np

from testbench.rtl.model import Model
from toreq_hw import data, sim
from toreq_hw.network import DenseCoupling, Network, WeightFormat, layered
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.timing import TimingModel
from toreq_hw.targets.workload import workload

LANES = 8


def random_network() -> Network:
    """Two hidden layers of random ternary weights, on digits."""
    blank = layered((64, 20, 12, 10), WeightFormat.TERNARY, [5, 3, 3])
    draw = np.random.default_rng(7)
    couplings = [
        DenseCoupling(
            c.pre,
            c.post,
            draw.integers(-1, 2, c.parameters.shape).astype(np.int8),
            c.fraction_bits,
            c.weight_format,
        )
        for c in blank.couplings
    ]
    return Network(blank.populations, tuple(couplings), {}, blank.schedule, blank.beta_shift)


def test_cycles_of_every_image_are_those_of_the_bench() -> None:
    network, dataset = random_network(), data.load("digits")
    parameters = CoreParameters.of(network, LANES)
    found = workload(network, parameters, dataset)
    inputs = data.encode(dataset.test.images, dataset.pixel_max, network.input)
    golden = Model(network, parameters, parameters.max_sweeps).phases(inputs, None)
    timing = TimingModel(parameters)
    costs = [timing.cost(phase.for_timing(), report=False) for (phase,) in golden]
    cycles = np.array([cost.cycles for cost in costs])
    assert found.cycles_mean == cycles.mean()
    assert found.cycles_max == cycles.max()
    assert found.cycles_p50 <= found.cycles_p95 <= found.cycles_p99 <= found.cycles_max
    assert np.count_nonzero(cycles <= found.cycles_p95) >= 0.95 * len(cycles)
    assert found.beats == sum(cost.beats for cost in costs) / len(costs)
    assert sum(found.histogram_counts) == found.images == len(dataset.test) == 359


def test_accuracy_is_the_simulators() -> None:
    network, dataset = random_network(), data.load("digits")
    inputs = data.encode(dataset.test.images, dataset.pixel_max, network.input)
    run = sim.relax(network, inputs)
    found = workload(network, CoreParameters.of(network, LANES), dataset)
    assert found.accuracy == np.mean(run.classes == dataset.test.labels)
    assert found.unsettled == 0
    assert found.input_events == np.count_nonzero(inputs) / len(inputs)
    assert found.events == run.events.mean()
    assert found.synops == run.synops.mean()

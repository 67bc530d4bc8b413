"""Run the compiled core beside the simulator: python examples/simulate_rtl.py"""

from pathlib import Path

from toreq_hw import data, rtl, sim, train
from toreq_hw.contract.results import PhaseResult
from toreq_hw.network import Network


def run(net: Network, count: int, folder: Path) -> PhaseResult:
    """The free phase of `count` test digits on the core, which is held against the simulator."""
    digits = data.load("digits")
    inputs = data.input_states(net, digits.test.images[:count], digits.pixel_max)
    (found,) = rtl.simulate_core(net, inputs, events=True, folder=folder)
    expected = sim.relax(net, inputs, trace=True)
    difference = sim.first_difference(expected, found)
    if difference is not None:
        raise SystemExit(str(difference))
    return found


if __name__ == "__main__":
    result = run(train("digits", hidden=(64,)).network, 20, Path("build/example-core"))
    print("every state of every tick is the simulator's")
    print("cycles", *result.costs["cycles"], "classes", *result.classes)

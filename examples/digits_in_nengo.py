"""A trained network as one part of a larger Nengo model: digits in, classes out.

Run `make sim` and `make .venv/extra-nengo` once, then: python examples/digits_in_nengo.py
"""

from toreq_hw import data, network
from toreq_hw.lava_backend.nengo_network import Presentation, build
from toreq_hw.lava_backend.nengo_shim import nengo


def classify(path: str, count: int) -> tuple[list[int], list[int]]:
    """Classes that the Nengo model finds for the first test digits, and the true ones."""
    trained = network.load(path)
    digits = data.load("digits")
    inputs = data.encode(digits.test.images[:count], digits.pixel_max, trained.input)
    presentation = Presentation(phase_steps=64)  # 64 ms a digit; most fall silent after 10
    with nengo.Network() as model:
        seconds = presentation.steps * presentation.dt
        camera = nengo.Node(nengo.processes.PresentInput(inputs, seconds))
        part = build(trained, presentation)
        nengo.Connection(camera, part.input, synapse=None)
        answer = nengo.Probe(part.class_node)
    with nengo.Simulator(model, progress_bar=False) as simulator:
        simulator.run_steps(count * presentation.steps, progress_bar=False)
    found = simulator.data[answer][presentation.steps - 1 :: presentation.steps, 0]
    return found.astype(int).tolist(), digits.test.labels[:count].tolist()


if __name__ == "__main__":
    found, true = classify("build/sim/network.safetensors", 20)
    print("found", *found)
    print("true ", *true)

"""`toreq-hw rtl --wave`: a waveform that shows what the simulator's trace says."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from testbench.rtl.conftest import DIGITS
from testbench.rtl.model import Event, Model, Phase
from toreq_hw import data
from toreq_hw.commands.rtl import command
from toreq_hw.network import Network
from toreq_hw.rtl.parameters import CoreParameters

SIGNALS = ("clk", "monitor__strobe", "monitor__is_input", "monitor__neuron", "monitor__delta")
STREAMS = ("inputs__valid", "commands__valid", "states__valid", "summary__valid", "phase_state")


def cycles(path: Path, names: tuple[str, ...]) -> Iterator[dict[str, int]]:
    """The signals at each rising edge, as they stood before it, by name; top level first."""
    header, body = path.read_text().split("$enddefinitions $end")
    identifiers: dict[str, str] = {}
    for line in header.splitlines():
        if line.strip().startswith("$var"):
            _, _, _, identifier, name, *_ = line.split()
            identifiers.setdefault(name, identifier)
    values: dict[str, int] = {}
    changes: dict[str, int] = {}
    for line in body.splitlines():
        if line.startswith("#"):
            if changes.get(identifiers["clk"]) == 1:
                yield {name: values.get(identifiers[name], 0) for name in names}
            values |= changes
            changes = {}
        elif line.startswith("b"):
            number, identifier = line[1:].split()
            changes[identifier] = int(number, 2)
        elif line[:1] in ("0", "1"):
            changes[line[1:]] = int(line[0])


def test_wave_holds_the_named_signals_and_the_trace(digits: Network, tmp_path: Path) -> None:
    index, lanes = 3, 8
    arguments = [str(DIGITS), "--lanes", str(lanes), "--wave", str(index), "--data", "digits"]
    done = CliRunner().invoke(command, [*arguments, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    path = tmp_path / f"image-{index}.vcd"
    assert str(path) in done.output.replace("\n", "")
    header = path.read_text().split("$enddefinitions")[0]
    for name in (*SIGNALS, *STREAMS):
        assert f" {name} " in header, name

    parameters = CoreParameters.of(digits, lanes)
    phases = expected(digits, parameters, index)
    order = {population: k for k, population in enumerate(parameters.order)}

    def as_walked(event: Event) -> tuple[int, int, int]:
        return event.sweep, order[event.population], event.neuron

    wanted: list[tuple[bool, int, int]] = []
    for phase in phases:
        wanted += [(True, *event) for event in phase.input_events]
        wanted += [(False, e.address, e.delta) for e in sorted(phase.events, key=as_walked)]
    bits = parameters.delta_bits
    seen = [
        (bool(c["monitor__is_input"]), c["monitor__neuron"], _signed(c["monitor__delta"], bits))
        for c in cycles(path, SIGNALS)
        if c["monitor__strobe"]
    ]
    assert len(wanted) > 100
    assert seen == wanted


def expected(network: Network, parameters: CoreParameters, index: int) -> list[Phase]:
    """The three phases of one test image by the simulator."""
    dataset = data.load("digits")
    images = dataset.test.images[index : index + 1]
    inputs = data.encode(images, dataset.pixel_max, network.input)
    model = Model(network, parameters, parameters.max_sweeps)
    return model.phases(inputs, dataset.test.labels[index : index + 1])[0]


@pytest.mark.usefixtures("digits")
def test_wave_refuses_an_image_that_is_not_there(tmp_path: Path) -> None:
    arguments = [str(DIGITS), "--wave", "359", "--data", "digits", "--out", str(tmp_path)]
    done = CliRunner().invoke(command, arguments)
    assert done.exit_code != 0
    assert "--wave must be an image in 0..358, the test images of digits" in str(done.exception)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value

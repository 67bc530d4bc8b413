"""`toreq-hw cosine`: how far learning would follow the gradient of the loss, by coupling."""

from pathlib import Path

import click

from toreq_hw import data, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import Numbers, Whole
from toreq_hw.cli.options import data_option, json_option, network_argument
from toreq_hw.errors import InputError
from toreq_hw.files import write_json
from toreq_hw.records.gradients import Cosines, CouplingCosine
from toreq_hw.sim.gradient_cosine import alignment
from toreq_hw.training.ends import check_ends
from toreq_hw.versions import versions

MOST_SAMPLES = 10_000


@checked_command(epilog="Example: toreq-hw cosine net.safetensors --data mnist --beta-shifts 0,1,2")
@network_argument
@data_option
@click.option(
    "--samples",
    type=Whole(1, MOST_SAMPLES),
    default=250,
    show_default=True,
    help="The first N training images.",
)
@click.option(
    "--beta-shifts", type=Numbers(0, 15, 16), help="Nudges of 2^-N; default: the network's own."
)
@json_option
def command(
    network_path: Path,
    data_name: str,
    samples: int,
    beta_shifts: tuple[int, ...] | None,
    json_path: Path | None,
) -> None:
    """Compare what on-chip learning would do with the gradient of the loss.

    A coupling's contrast is summed over training images, in integers. Its cosine is that of the
    angle to minus the gradient at the real-valued equilibrium (docs/networks.md).
    """
    net = network.load(network_path)
    dataset = data.load(data_name, net.encoding)
    check_ends(net, str(network_path), dataset)
    if samples > len(dataset.train):
        raise InputError(
            f"--samples must be at most {len(dataset.train)}, the training images of "
            f"{dataset.name}, not {samples}"
        )
    chosen = dataset.train.take(slice(0, samples))
    inputs = data.input_states(net, chosen.images, dataset.pixel_max)
    found = alignment(net, inputs, chosen.labels, beta_shifts)
    record = Cosines(
        **vars(found),
        data=dataset.name,
        split=dataset.split,
        network_sha256=net.sha256,
        versions=versions(),
    )
    if json_path:
        write_json(json_path, record)
    title = f"{network_path.name}, {record.compared} of {samples} training images of {data_name}"
    header = ("coupling", "beta", "cosine", "without contrast")
    console.output.print(console.table(title, header, list(map(_row, record.cosines))))
    console.output.print(
        f"loss {record.loss:.4f}; {record.apart} real-valued equilibria lie apart from the integer"
    )


def _row(found: CouplingCosine) -> tuple[str, ...]:
    cosine = "none" if found.cosine is None else f"{found.cosine:.3f}"
    return found.coupling, f"2^-{found.beta_shift}", cosine, f"{100 * found.silent:.0f} %"

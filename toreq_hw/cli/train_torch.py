"""`toreq-hw train --engine torch`: batches on torch tensors, quantisers in the loop."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from toreq_hw import network
from toreq_hw.cli import console
from toreq_hw.cli.checked import Values
from toreq_hw.cli.options import samples_word, with_samples
from toreq_hw.cli.readout_options import READOUT_OPTIONS
from toreq_hw.cli.runs import current_run
from toreq_hw.cli.starting import dataset_for, described_network, starting_network
from toreq_hw.errors import InputError
from toreq_hw.files import together, write_json
from toreq_hw.network import DenseCoupling, Network, WeightFormat
from toreq_hw.records.parity import TrainedNetwork
from toreq_hw.studies.torch_training import train_torch, training_record
from toreq_hw.training.ends import check_rows
from toreq_hw.training.offline import require_torch, torch_options, torch_recipe

if TYPE_CHECKING:
    from toreq_hw.quant.options import TrainingOptions

INTEGER_ONLY = (
    "signed",
    "loop",
    "schedule",
    "shift",
    "output_shift",
    "bias_shift",
    "theta",
    "latent_bits",
    "resume",
    "checkpoint_path",
    "checkpoint_every",
    *READOUT_OPTIONS,
)
"""Options of `train` that mean nothing to this engine."""

TORCH_ONLY = ("rule", "batch_size", "learning_rate", "spectral_limit", "device", "float_out")
"""Options of `train` that mean nothing to the integer engine."""


def refuse_options(options: Values, names: tuple[str, ...], engine: str) -> None:
    """Raises InputError for the first option of `names` that was given."""
    for name in names:
        if options[name] is not None and options[name] is not False:
            shown = name.removesuffix("_path").replace("_", "-")
            raise InputError(f"--{shown} must be left out with --engine {engine}")


def train_and_write(out: Path, json_path: Path | None, options: Values) -> int:
    """Trains, measures on the test images with the simulator, writes network and record.

    Returns 1 where the simulator and the trainer disagree on any state of any test image.
    """
    refuse_options(options, INTEGER_ONLY, "torch")
    dataset = dataset_for(options["data_name"], options["start"])
    check_rows(1, "--engine torch", dataset)
    start = starting_network(options["start"], dataset)
    blank = described_network(options["description"], dataset)
    settings = _settings(options, start or blank, len(dataset.train))
    if options["float_out"]:
        _refuse_float_out(start or blank)
    if options["holdout"]:
        dataset = dataset.holding_out(options["holdout"])
    dataset = with_samples(dataset, options["samples"])
    console.messages.print(f"recipe: {torch_recipe(settings, dataset)}")
    begin = time.perf_counter()
    training = train_torch(settings, dataset, start, console.terminal, blank)
    net = training.network
    encoded = replace(net, encoding=dataset.encoding_of(net.input))
    training = replace(training, network=encoded)
    record = TrainedNetwork(
        **vars(training_record(training, dataset)),
        started_from=start.sha256 if start else None,
        seconds=time.perf_counter() - begin,
    )
    with together():
        network.save(training.network, out, run=current_run())
        if options["float_out"]:
            from toreq_hw.quant.float_model import from_parameters, save_float

            model = from_parameters(training.parameters)
            save_float(model, options["float_out"], run=current_run())
        if json_path:
            write_json(json_path, record)
    _say(record, samples_word(dataset), out)
    return 1 if record.simulator_differs_on else 0


def _refuse_float_out(known: Network | None) -> None:
    """Raises InputError for a network that no file of a float model holds."""
    if known is None:
        return
    other = [c for c in known.couplings if not isinstance(c, DenseCoupling)]
    if other:
        raise InputError(
            f"--float-out must be left out with couplings that are not dense, found "
            f"{other[0].name!r} of kind {other[0].kind}"
        )
    if known.readout is not None or any(c.feedback_shift for c in known.couplings):
        raise InputError(
            "--float-out must be left out with a clamped readout or feedback shifts, which a float "
            "model does not have"
        )


def _settings(options: Values, known: Network | None, samples: int) -> "TrainingOptions":
    """The options given, over the trainer's own defaults for so many samples; the shape of `known`
    if there is one.
    """
    require_torch("--engine torch")
    from toreq_hw.quant.options import Rule

    names = ("beta_shift", "epochs", "batch_size", "learning_rate", "spectral_limit", "device")
    given = {name: options[name] for name in (*names, "fraction_bits", "augment", "mirror")}
    shape = ("hidden", "state_bits", "input_bits")
    given |= {name: options[name] for name in shape}
    given["weight_format"] = WeightFormat(options["weights"])
    given["rule"] = Rule(options["rule"] or Rule.EQPROP)
    return torch_options(given, options["seed"], known, samples)


def _say(record: TrainedNetwork, what: str, out: Path) -> None:
    console.output.print(
        f"{record.data}: accuracy {100 * record.accuracy:.2f} % on "
        f"{record.test_images} {what} ({record.split}); "
        f"{100 * record.sparsity:.0f} % of weights are zero; wrote {out}"
    )
    for name, norms in record.spectral_norms.items():
        console.output.print(
            f"  {name}: Lipschitz constant {norms.before:.2f} before, {norms.after:.2f} after"
        )
    differs = record.simulator_differs_on
    if differs is None:
        console.output.print(
            "  backpropagation: the accuracy is the feed-forward pass', which is not the free "
            "phase of the network written"
        )
    else:
        console.output.print(f"  the simulator's states differ on {differs} test {what}")

"""`toreq-hw models`: the zoo, listed, copied or trained again, and verified."""

from pathlib import Path

import click

from toreq_hw import models, network
from toreq_hw.cli import console
from toreq_hw.cli.checked import checked_command
from toreq_hw.cli.numbers import Name
from toreq_hw.cli.options import overwrite_option
from toreq_hw.cli.paths import OutputFile
from toreq_hw.cli.runs import current_run
from toreq_hw.errors import InputError
from toreq_hw.models import Model, Remade
from toreq_hw.training import EpochReport

_EPILOG = """\b
Examples:
  toreq-hw models list
  toreq-hw models get digits-ternary --out net.safetensors
  toreq-hw models get mnist-ternary --out net.safetensors     (trains it, minutes)
  toreq-hw models verify digits-int8                          (trains it, seconds)"""


@checked_command(epilog=_EPILOG)
@click.argument("action", type=Name(["list", "get", "verify"]))
@click.argument("name", required=False, type=Name(list(models.catalogue())))
@click.option("--out", type=OutputFile(), help="Of get: file to write.")
@overwrite_option
def command(action: str, name: str | None, out: Path | None) -> int:
    """List trained networks, get one as a file, or verify one by training it again.

    Small ones are part of this package. Others are trained again, which gives the same bits on any
    machine; a network with another hash than the catalogue's is not written. Exit status of
    verify: 0 hash, accuracy and recipe are those of the catalogue, 1 they are not.
    """
    if action == "list":
        _refuse("NAME", name, action)
        _refuse("--out", out, action)
        _list()
        return 0
    if name is None:
        raise InputError(f"NAME must be given with {action}, see toreq-hw models list")
    model = models.get(name)
    if action == "get":
        if out is None:
            raise InputError("--out must be given with get")
        _get(model, out)
        return 0
    _refuse("--out", out, action)
    return _verify(model)


def _refuse(what: str, given: object, action: str) -> None:
    """Raises InputError for what an action does not take."""
    if given is not None:
        raise InputError(f"{what} must be left out with {action}")


def _list() -> None:
    rows = [
        (
            model.name,
            f"{100 * model.accuracy:.2f} %",
            "shipped" if model.shipped else "trained again",
            model.sha256[:12],
            model.recipe,
        )
        for model in models.catalogue().values()
    ]
    header = ("model", "test accuracy", "file", "hash", "recipe")
    console.output.print(console.table("trained networks", header, rows))


def _get(model: Model, out: Path) -> None:
    """Writes the network, whose hash must be the catalogue's. Raises InputError."""
    if model.shipped:
        found = models.load(model.name)
    else:
        made = _remade(model)
        if made.differences:
            raise InputError(f"model {model.name} must come out again, found {made.differences[0]}")
        found = made.network
    network.save(found, out, run=current_run())
    console.output.print(
        f"{model.name}: {100 * model.accuracy:.2f} % of test images of {model.data}, "
        f"network {model.sha256[:12]}; wrote {out}"
    )


def _verify(model: Model) -> int:
    if model.shipped:
        models.load(model.name)
    made = _remade(model)
    for line in made.differences:
        console.output.print(f"{model.name}: {line}")
    if not made.differences:
        console.output.print(
            f"{model.name}: hash {made.sha256[:12]}, accuracy {100 * made.accuracy:.2f} % and "
            f"recipe are those of the catalogue; trained in {made.seconds:.1f} s"
        )
    return 1 if made.differences else 0


def _remade(model: Model) -> Remade:
    """The model, trained again under a bar."""
    epochs = int(model.recipe.rpartition(" ")[2])
    with console.terminal.bar(f"training {model.name}", epochs) as bar:

        def on_epoch(report: EpochReport) -> None:
            bar.advance()
            bar.show(note=f"training accuracy {100 * report.accuracy:.2f} %")

        return models.remake(model, on_epoch)

"""The console script `toreq-hw`: one module a command, imported only when it is called."""

import errno
import sys
from contextlib import nullcontext
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import click
from click.exceptions import NoArgsIsHelpError

import toreq_hw
from toreq_hw import notices
from toreq_hw.cli.silence import SilenceWatch
from toreq_hw.cli.streams import (
    STREAM_ERRORS,
    guarded_streams,
    open_closed_streams,
    silence_output,
)
from toreq_hw.cli.termination import ending_in_order
from toreq_hw.cli.usage import HELP_OPTIONS, check_arguments, usage_line
from toreq_hw.errors import ClosedPipeError, ToreqError
from toreq_hw.extras import extras_named
from toreq_hw.links import check_links
from toreq_hw.machine import lend_caches
from toreq_hw.reading.fields import shown
from toreq_hw.suggestions import none_of

CLOSED_PIPE = 128 + 13
"""Exit status where nobody reads the output: that of a process that SIGPIPE has ended."""

_COMMANDS = {
    "bench": "Measure accuracy, speed and memory side by side.",
    "boards": "List the boards that synth and deploy know, or check a board file.",
    "cosine": "Compare what learning would do with the gradient of the loss.",
    "demo": "Train on digits, settle, compare engines, report.",
    "deploy": "Run a network on a target and check it against the simulator.",
    "export": "Write a network as an ONNX or QONNX graph.",
    "host": "Write a C host that loads a network into its board and runs images.",
    "import": "Read a network from an ONNX file.",
    "info": "Say what a file is, what is in it, and which commands take it.",
    "inject": "Damage a network and measure what it survives.",
    "lazy": "Measure what a core saves by sending less, or by stopping sooner.",
    "learning": "Train, time and build every core that learns on its board.",
    "models": "List trained networks, get one, or train one again and compare.",
    "observe": "Watch a network settle, as a film or in the browser.",
    "parity": "Put equilibrium propagation beside backpropagation.",
    "quantize": "Turn a float model into a network and say what it costs.",
    "report": "List and link all report pages below a folder.",
    "reports": "Build and measure every published design on its board.",
    "relearn": "Damage a network for good and let it learn on.",
    "replay": "Replay a fault map on simulator, RTL and Lava, bit for bit.",
    "rtl": "Write the relaxation core of a network: Verilog, images, datasheet.",
    "robustness": "Run every damage campaign and write the report.",
    "search": "Search for networks and cores for a board and its limits.",
    "simulate": "Relax a network over a data set and report what it took.",
    "structured": "Train every kind of coupling in integers.",
    "study": "Run a study by its name; list them, or write their index.",
    "synth": "Build a network for a board: synthesis, place and route, bitstream.",
    "train": "Train a network: the integer on-chip rule, or offline with torch.",
    "verify": "Judge every published claim on real data, beside a control.",
}
"""Name (also of the module that holds it, `-` as `_`) and the line `--help` shows."""


class LazyGroup(click.Group):
    """Lists every command without importing any; a bad input becomes one line and status 2."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in alphabetical order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """Imports the command's module; None for an unknown name."""
        if name not in _COMMANDS:
            return None
        module = import_module(f".{name.replace('-', '_')}", __name__)
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does; an unknown name is answered with all, and with the nearest."""
        name = args[0]
        if name not in _COMMANDS and not name.startswith("-"):
            ctx.fail(none_of("command", name, sorted(_COMMANDS)))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


def _say_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Looked up only where it is asked for: that takes longer than all of --help."""
    if wanted:
        from toreq_hw.versions import installed

        click.echo(f"toreq-hw, version {installed()}")
        ctx.exit()


@click.group(cls=LazyGroup)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_say_version,
    help="Show the version and exit.",
)
def group() -> None:
    """Hardware co-design for equilibrium propagation: one contract, many machines."""


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line; ends the process with status 0, 1 (a check failed) or 2.

    Interrupted it ends with 130, and with `CLOSED_PIPE` where nobody reads its output.
    """
    run(group, arguments, "toreq-hw")


def run(command: click.Command, arguments: list[str] | None, name: str) -> None:
    """Runs one click command with this project's exit statuses."""
    open_closed_streams()
    first = [word for word in sys.argv[1:2] if not word.startswith("-")]
    called = " ".join([name, *first])
    silence = SilenceWatch(called)
    watched = silence if arguments is None else nullcontext()  # a caller's streams are his own
    try:
        heard = guarded_streams(silence.note_output)
        with extras_named(called), heard, watched, ending_in_order():
            check_links(Path(toreq_hw.__file__).parent)
            lend_caches()
            notices.listen(partial(click.echo, err=True))
            check_arguments(sys.argv[1:] if arguments is None else arguments)
            status = command.main(
                arguments, prog_name=name, standalone_mode=False, help_option_names=HELP_OPTIONS
            )
    except NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        refuse(usage_line(error))
    except ClosedPipeError:
        sys.exit(CLOSED_PIPE)
    except ToreqError as error:
        refuse(str(error))
    except OSError as error:
        if error.filename is not None:
            name = shown(str(error.filename))
            refuse(f"{name}: must be a file to work with, found: {error.strerror}")
        if error.errno not in STREAM_ERRORS:
            raise
        silence_output()  # written past the guard, as click writes in some encodings
        if error.errno == errno.EPIPE:
            sys.exit(CLOSED_PIPE)
        refuse(f"standard output: must be writable, found: {error.strerror}")
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def refuse(reason: str) -> NoReturn:
    """Ends the process with one line and status 2; what is no printable character is escaped."""
    line = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in f"error: {reason}")
    with guarded_streams():
        click.echo(line, err=True)
    sys.exit(2)

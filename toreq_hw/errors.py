"""Every error a user can cause, each one line: what must hold, and what was found.

The commands turn a `ToreqError` into that one line on standard error and exit status 2.
Anything else that escapes is a bug in toreq_hw and keeps its traceback.
"""


class ToreqError(Exception):
    """Base of all errors caused by bad input, bad usage or a missing dependency.

    Its text is one line whatever it quotes: a file's name may hold a line break, an escape
    sequence or bytes that are no text.
    """

    def __str__(self) -> str:
        text = super().__str__()
        if text.isprintable():
            return text
        return "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text
        )


class NetworkError(ToreqError):
    """A network description breaks a rule of docs/numerics.md.

    where: what of a description it is about, such as `layers[2]`; empty where nobody has said it.
    """

    where = ""


class NetworkFileError(ToreqError):
    """A network file cannot be read: cut, tampered with, or of another version."""


class InputError(ToreqError):
    """Values handed to a network or a command are outside what they must be."""


class DataError(ToreqError):
    """A data set is absent, cut, or not the one its checksum promises."""


class OutputError(ToreqError):
    """A result cannot be written where it was asked for."""


class ClosedPipeError(OutputError):
    """Nobody reads standard output any more, as behind `| head -1`."""


class MissingDependencyError(ToreqError):
    """An optional dependency is absent; the message names the extra that installs it."""


class CheckoutError(ToreqError):
    """The package lies here without some of its parts: links that were not made."""


class DeploymentError(ToreqError):
    """A target's run ended before it gave a result: a process died, or the time was up."""


class BuildError(ToreqError):
    """A tool on the way to a bitstream failed, or was interrupted."""


class ReportError(ToreqError):
    """A tool's report lacks something, contradicts the design or another report."""


class LinkError(ToreqError):
    """A board cannot be reached, does not answer as it must, or holds another network."""

"""Another machine in a process of its own, which ends with the tab that asked for it.

Compiling a core takes a minute, and a foreign tool may die or hang. Neither holds up the server.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from types import MappingProxyType

from toreq_hw.children import end_with_parent, interrupts_blocked
from toreq_hw.errors import DeploymentError, ToreqError
from toreq_hw.observatory.machines import APART, Answer, Request, carry_out

_Names = dict[object, object]


def _viewed(names: _Names) -> MappingProxyType[object, object]:
    return MappingProxyType(names)


def _copied(
    view: MappingProxyType[object, object],
) -> tuple[Callable[[_Names], MappingProxyType[object, object]], tuple[_Names]]:
    return _viewed, (dict(view),)


ForkingPickler.register(MappingProxyType, _copied)  # a network holds such views of its biases


async def run_apart(request: Request, folder: Path) -> Answer:
    """Runs a request without holding up anything else; ended where the task is cancelled.

    folder: keeps compiled cores. Raises what `carry_out` raises, DeploymentError where it dies.
    """
    if request.name not in APART:
        return await asyncio.to_thread(carry_out, request, folder)
    mine, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(
        target=_work, args=(request, folder, theirs, os.getpid()), daemon=True
    )
    started = asyncio.ensure_future(asyncio.to_thread(_start, process, theirs))
    try:
        await asyncio.shield(started)
        found = await asyncio.to_thread(_receive, mine)
    finally:
        await asyncio.wait([started])  # what has not started yet cannot be ended
        if process.pid is not None:
            process.terminate()
    if isinstance(found, ToreqError):
        raise found
    if found is None:
        raise DeploymentError(f"the {request.title} must run to its end, its process died")
    return found


def _start(process: BaseProcess, theirs: Connection) -> None:
    with interrupts_blocked():  # a terminal sends Ctrl-C to all processes; the server ends this one
        process.start()
    theirs.close()


def _receive(mine: Connection) -> Answer | ToreqError | None:
    """What the process says; None where it ends without a word."""
    with mine:
        try:
            found: Answer | ToreqError = mine.recv()
        except EOFError:
            return None
    return found


def _work(request: Request, folder: Path, answer: Connection, parent: int) -> None:
    """In the process: SIGTERM unwinds it, so that tools end and their folders are removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    end_with_parent(parent)
    try:
        found: Answer | ToreqError = carry_out(request, folder)
    except ToreqError as error:
        found = error
    answer.send(found)

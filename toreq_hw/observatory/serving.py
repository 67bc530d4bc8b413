"""Runs the server until Ctrl-C, on this machine's own address alone."""

import asyncio
import secrets
import socket
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, TypedDict

from toreq_hw.errors import InputError
from toreq_hw.extras import missing
from toreq_hw.observatory.messages import MOST_CHARACTERS

if TYPE_CHECKING:
    from toreq_hw.observatory.watched import Watched

ADDRESS = "127.0.0.1"


def serve(
    opens: Callable[[], "Watched"], port: int, say: Callable[[str], None], *, browse: bool
) -> None:
    """Serves the page until the process is interrupted.

    opens: makes what a new tab shows. port: 0 is any free one. say: is told the address. browse:
    opens the page in a browser. Raises KeyboardInterrupt at the end, MissingDependencyError without
    the extra `observe`, InputError where the port is taken.
    """
    try:
        import uvicorn

        from toreq_hw.observatory.app import Observatory
    except ModuleNotFoundError as error:
        raise missing("the page", error.name, "observe") from error
    token = secrets.token_urlsafe(16)
    listener = listen(port)
    address = f"http://{ADDRESS}:{listener.getsockname()[1]}/{token}/"
    with TemporaryDirectory(prefix="toreq-hw-") as folder, suppress(asyncio.CancelledError):
        app = Observatory(opens, token, Path(folder)).app()
        say(address)
        if browse:
            webbrowser.open_new_tab(address)
        uvicorn.Server(uvicorn.Config(app, **settings())).run(sockets=[listener])
    raise KeyboardInterrupt  # asyncio passes over one that comes as its last task ends


class Settings(TypedDict):
    """Of uvicorn: quiet, bounded, and nothing that a proxy may say."""

    log_level: str
    access_log: bool
    lifespan: Literal["off"]
    ws_max_size: int
    ws_max_queue: int
    ws_per_message_deflate: bool
    ws_ping_interval: None
    timeout_graceful_shutdown: int
    proxy_headers: bool
    server_header: bool


def settings() -> Settings:
    """Those that the page is served with. A tab that is cut off at the end is no error.

    Nothing is asked of a tab to prove that it is there: the machine says when it is closed. A tab
    that is busy with a long command would answer too late and lose what it has learned.
    """
    return Settings(
        log_level="critical",
        access_log=False,
        lifespan="off",
        ws_max_size=4 * MOST_CHARACTERS,
        ws_max_queue=16,
        ws_per_message_deflate=False,
        ws_ping_interval=None,
        timeout_graceful_shutdown=1,
        proxy_headers=False,
        server_header=False,
    )


def listen(port: int) -> socket.socket:
    """A socket on this machine's own address. Raises InputError where the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((ADDRESS, port))
        listener.listen()  # a browser may come before the server runs: it waits
    except OSError as error:
        listener.close()
        raise InputError(f"port {port} must be free, found: {error.strerror}") from error
    return listener

"""A server of the page in this process, and a client that speaks as the page does."""

import json
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest

from testbench.observatory.cases import digits_network
from testbench.patience import GENEROUS_S, until
from toreq_hw import data
from toreq_hw.observatory.serving import listen

TOKEN = "secret"


@contextmanager
def served(port: int = 0, token: str = TOKEN, opens: Any = None) -> Iterator[Any]:
    """A running server: the application, with `port` and `base` (its address).

    opens: makes what a tab shows, digits unless given.
    """
    uvicorn = pytest.importorskip("uvicorn", reason="THE EXTRA observe IS NOT INSTALLED")
    from toreq_hw.observatory.app import Observatory
    from toreq_hw.observatory.live import Live
    from toreq_hw.observatory.serving import settings

    folder = TemporaryDirectory(prefix="toreq-hw-")
    opens = opens or partial(Live, digits_network(), data.load("digits"))
    app: Any = Observatory(opens, token, Path(folder.name))
    listener = listen(port)
    app.port = listener.getsockname()[1]
    app.base = f"http://127.0.0.1:{app.port}/{token}/"
    server = uvicorn.Server(uvicorn.Config(app.app(), **settings()))
    thread = threading.Thread(target=lambda: server.run(sockets=[listener]), daemon=True)
    thread.start()
    until(lambda: server.started)
    yield app
    server.should_exit = True
    thread.join(GENEROUS_S)
    assert not thread.is_alive()
    folder.cleanup()


class Page:
    """A client that shows every frame at once. header, planes: of the last frame."""

    def __init__(self, app: Any, **headers: str) -> None:
        from websockets.sync.client import connect

        given = {"Origin": f"http://127.0.0.1:{app.port}", **headers}
        origin = given.pop("Origin")
        self._connecting = connect(
            f"ws{app.base.removeprefix('http')}socket",
            origin=origin or None,  # type: ignore[arg-type]
            additional_headers=given,
            max_size=None,
            compression=None,
            open_timeout=GENEROUS_S,
            ping_interval=None,
        )
        self.header: dict[str, Any] = {}
        self.state: dict[str, Any] = {}
        self.network: dict[str, Any] = {}
        self.planes = np.zeros((0, 0, 0), np.uint8)
        self.frames = 0

    def __enter__(self) -> "Page":
        self.socket = self._connecting.__enter__()
        self.read()
        return self

    def __exit__(self, *_: object) -> None:
        self._connecting.__exit__(None, None, None)

    def ask(self, do: str, **given: Any) -> None:
        self.socket.send(json.dumps({"do": do, **given}))

    def read(self) -> dict[str, Any]:
        """The next frame."""
        message = self.socket.recv(timeout=GENEROUS_S)
        assert isinstance(message, bytes)
        (length,) = struct.unpack("<I", message[:4])
        self.header = json.loads(message[4 : 4 + length])
        self.network = self.header.get("network", self.network)
        self.state = self.header.get("state", self.state)
        shape = (-1, self.network["height"], self.network["width"])
        self.planes = np.frombuffer(message[4 + length :], np.uint8).reshape(shape)
        self.frames += 1
        self.ask("seen", number=self.header["number"])
        return self.header

    def until(self, holds: Any) -> dict[str, Any]:
        """Reads frames until one fits."""
        end = time.monotonic() + GENEROUS_S
        while not holds(self.header):
            assert time.monotonic() < end, self.header
            self.read()
        return self.header

    def settle(self) -> dict[str, Any]:
        """Runs to the end of the phase."""
        before = self.header["number"]
        self.ask("play", rate=0)
        return self.until(lambda h: h["number"] > before and h["view"]["atEnd"])

    def refused(self, do: str, **given: Any) -> str:
        """What the page says of a command that is refused."""
        self.ask(do, **given)
        found = self.until(lambda h: "error" in h)["error"]
        self.header.pop("error")
        return str(found)

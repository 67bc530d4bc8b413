"""The local server of the page: one address with a token, one session a tab.

It answers to this machine alone: other hosts and origins, paths that are not the page's own,
oversized and unknown messages are refused.
"""

import asyncio
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from toreq_hw.observatory.messages import MOST_CHARACTERS
from toreq_hw.observatory.tab import Tab
from toreq_hw.observatory.watched import Watched

MOST_TABS = 32
"""Open at once: each holds a session and a recording."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}

_SAFE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}

REFUSED, TOO_LARGE, TOO_MANY = 4403, 1009, 1013
"""Codes with which a socket is closed."""


def page_files() -> dict[str, bytes]:
    """The page's own files by name; nothing else is ever served."""
    folder = files("toreq_hw.observatory") / "page"
    return {one.name: one.read_bytes() for one in folder.iterdir() if one.name[0] != "."}


class Observatory:
    """The application. opens: makes what a new tab shows. tabs: those that are open.

    token: the secret part of the address. folder: keeps compiled cores while the server runs.
    """

    def __init__(self, opens: Callable[[], Watched], token: str, folder: Path) -> None:
        self._opens, self._token, self._folder = opens, token, folder
        self._files = page_files()
        self.tabs: set[Tab] = set()

    def app(self) -> Starlette:
        """The routes: the page, its files, and the socket."""
        base = f"/{self._token}"
        return Starlette(
            routes=[
                Route(f"{base}/", self._file),
                Route(base + "/{name}", self._file),
                WebSocketRoute(f"{base}/socket", self._socket),
            ]
        )

    async def _file(self, request: Request) -> Response:
        name = request.path_params.get("name", "index.html")
        content = self._files.get(name)
        if not local(request.headers.get("host", "")):
            return PlainTextResponse("the host must be this machine", 403, _SAFE)
        if content is None:
            return PlainTextResponse("the file must be one of the page", 404, _SAFE)
        kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")
        return Response(content, media_type=kind, headers=_SAFE)

    async def _socket(self, socket: WebSocket) -> None:
        host, origin = socket.headers.get("host", ""), socket.headers.get("origin", "")
        if not local(host) or origin != f"http://{host}":
            await socket.close(REFUSED, "the page must be of this machine")
            return
        await socket.accept()
        if len(self.tabs) >= MOST_TABS:
            await socket.close(TOO_MANY, f"at most {MOST_TABS} tabs can be open")
            return
        await self._serve(socket)

    async def _serve(self, socket: WebSocket) -> None:
        tab = Tab(await asyncio.to_thread(self._opens), socket, self._folder)
        self.tabs.add(tab)
        try:
            await tab.run(_receiver(socket))
        except WebSocketDisconnect:
            pass
        finally:
            self.tabs.discard(tab)


def _receiver(socket: WebSocket) -> Callable[[], Awaitable[str]]:
    """Waits for texts; ends at the first message that is none, or too long."""

    async def receive() -> str:
        message = await socket.receive()
        if message["type"] != "websocket.receive":
            raise WebSocketDisconnect(message.get("code", 1000))
        text = message.get("text")
        if not isinstance(text, str) or len(text) > MOST_CHARACTERS:
            await socket.close(TOO_LARGE, "a message must be a text, and not too long")
            raise WebSocketDisconnect(TOO_LARGE)
        return text

    return receive


def local(host: str) -> bool:
    """Whether a Host header names this machine, with a port: no name that others resolve."""
    name, _, port = host.rpartition(":")
    return name in ("127.0.0.1", "localhost") and port.isdigit()

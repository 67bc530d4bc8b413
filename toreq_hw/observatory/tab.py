"""One open tab: its commands, its clock, and frames that wait for the page and never pile up."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Protocol, TypeVar, TypeVarTuple, Unpack

import numpy as np

from toreq_hw.errors import InputError, ToreqError
from toreq_hw.observatory import messages
from toreq_hw.observatory.apart import run_apart
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.machines import Request, Side, ask, stand_beside
from toreq_hw.observatory.watched import ONLY_WATCHED, Watched
from toreq_hw.observatory.wire import Header, Sent, about, of_curve, of_state, of_view, packed

MOST_FRAMES_A_SECOND = 60

CHUNK_S = 0.03
"""How long the network runs before commands are looked at again."""

LONGEST_PAUSE_S = 2.0
"""Between two ticks, however slow the clock is."""

_Given = TypeVarTuple("_Given")
_Result = TypeVar("_Result")


class Wire(Protocol):
    """How a tab is reached."""

    async def send_bytes(self, data: bytes) -> None:
        """Sends one message; returns when the transport has taken it."""


class Tab:
    """What happens in one tab. A frame is made when the page has shown the one before.

    So a slow page skips ticks; the network never waits for it. live: the network of this tab.
    folder: keeps cores that were compiled for it. sent: frames so far. ended: whether nothing of it
    runs any more.
    """

    def __init__(self, live: Watched, wire: Wire, folder: Path) -> None:
        self.live, self._wire, self._folder = live, wire, folder
        self.sent, self.ended = 0, False
        self._taken = 0
        self._news: Header = {"network": about(live), "state": of_state(live)}
        self._curve: Sent = {"phase": 0, "tick": 0}
        self._dirty, self._seen = asyncio.Event(), asyncio.Event()
        self._dirty.set()
        self._seen.set()
        self._busy = asyncio.Lock()
        self._rate: float | None = None
        self._train_rate: float | None = None
        self._going = asyncio.Event()
        self._side: Side | None = None
        self._machine: asyncio.Task[None] | None = None

    async def run(self, receive: Callable[[], Awaitable[str]]) -> None:
        """Serves the tab until `receive` fails, as it does when the tab is closed."""
        tasks = [asyncio.create_task(one()) for one in (self._send_frames, self._keep_time)]
        try:
            while True:
                await self._take(await receive())
        finally:
            tasks += [self._machine] if self._machine else []
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self.ended = True

    async def _take(self, text: str) -> None:
        """Carries out one message; a refusal becomes a line on the page."""
        try:
            command = messages.parse(text)
            if isinstance(command, messages.Seen):
                if command.number == self.sent:
                    self._seen.set()
                return
            await self._carry_out(command)
        except ToreqError as error:
            self._news["error"] = str(error)
        self._taken += 1
        self._dirty.set()

    async def _carry_out(self, command: messages.Command) -> None:
        if isinstance(command, messages.Train | messages.Machine):
            self._network()  # a recording neither learns nor is compared
        match command:
            case messages.Play(rate):
                self._rate, self._train_rate = rate, None
                self._going.set()
            case messages.Train(rate):
                self._rate, self._train_rate = None, rate
                self._going.set()
            case messages.Pause():
                self._stop()
            case messages.Machine(name, fault):
                if self._machine is not None and not self._machine.done():
                    raise InputError("one machine must end before another is asked, found one")
                self._stop()
                request = await self._apart(ask, self._network(), name, fault)
                self._side, self._news["state"] = None, await self._apart(of_state, self.live)
                self._news["machine"] = {"name": request.title, "running": True}
                self._machine = asyncio.create_task(self._beside(request))
            case messages.Change():
                moves = isinstance(command, messages.Step | messages.Show)
                self._side = self._side if moves else None
                await self._apart(command.apply, self.live)
                if not moves:
                    self._news["state"] = await self._apart(of_state, self.live)

    def _network(self) -> Live:
        """The network of the tab. Raises InputError where it shows a recording alone."""
        if not isinstance(self.live, Live):
            raise InputError(ONLY_WATCHED)
        return self.live

    async def _beside(self, request: Request) -> None:
        """Waits for another machine and shows it, unless the tab shows something else by then."""
        name: Header = {"name": request.title, "running": False}
        said: Header = {**name, "failed": "this program has an error; the terminal shows it"}
        try:
            answer = await run_apart(request, self._folder)
            side = await self._apart(stand_beside, self._network(), request, answer)
            if side is None:
                said = {**name, "late": True}
            else:
                self._stop()
                self._side, said = side, side.header()
                self._news["state"] = await self._apart(of_state, self.live)
        except ToreqError as error:
            said = {**name, "failed": str(error)}
        finally:
            self._news["machine"] = said
            self._dirty.set()

    async def _keep_time(self) -> None:
        """Moves the view on while the tab plays, and learns while it trains."""
        while True:
            await self._going.wait()
            begin = time.perf_counter()
            pause = 0.0
            try:
                pause = await (self._play() if self._train_rate is None else self._train())
            except ToreqError as error:
                self._stop()
                self._news["error"] = str(error)
            self._dirty.set()
            pause -= time.perf_counter() - begin
            await asyncio.sleep(min(max(0.0, pause), LONGEST_PAUSE_S))

    async def _train(self) -> float:
        """Learns a quarter of a second's images; seconds until the next."""
        rate = self._train_rate or 1.0
        count = max(1, min(500, round(rate / 4)))
        await self._apart(self.live.train, count)
        self._news["state"] = await self._apart(of_state, self.live)
        return count / rate

    async def _play(self) -> float:
        """Moves the view on; seconds until the next time."""
        rate = self._rate or 0.0
        ticks = max(1, round(rate * CHUNK_S)) if rate else 0
        await self._apart(self._run, ticks)
        if self.live.viewer.at_end:
            self._stop()
            self._news["state"] = await self._apart(of_state, self.live)
        return ticks / rate if rate else 0.0

    def _run(self, ticks: int) -> None:
        """So many ticks, or what fits into a chunk of time."""
        end = time.perf_counter() + CHUNK_S
        for number in range(ticks or 1_000_000):
            if self.live.viewer.at_end or (number and time.perf_counter() > end):
                return
            self.live.viewer.advance("tick")

    def _stop(self) -> None:
        self._rate = self._train_rate = None
        self._going.clear()

    async def _send_frames(self) -> None:
        """Sends the newest frame whenever there is one and the page has shown the last."""
        while True:
            await self._dirty.wait()
            await self._seen.wait()
            begin = time.perf_counter()
            self._dirty.clear()
            self._seen.clear()
            self.sent += 1
            message, more = await self._apart(self._frame)
            if more:
                self._dirty.set()
            await self._wire.send_bytes(message)
            spent = time.perf_counter() - begin
            await asyncio.sleep(max(0.0, 1 / MOST_FRAMES_A_SECOND - spent))

    def _frame(self) -> tuple[bytes, bool]:
        """The message of the newest frame, and whether there is more of the curve."""
        live, news = self.live, self._news
        self._news = {}
        curve = of_curve(live.viewer.history, self._curve)
        header: Header = {"number": self.sent, "curve": curve, **of_view(live), **news}
        header["taken"] = self._taken
        header["playing"] = self._rate is not None
        header["learning"] = self._train_rate is not None
        planes = live.viewer.planes()
        beside = None if self._side is None else self._side.planes(live.viewer.view)
        header["beside"] = beside is not None
        if beside is not None:
            planes = np.concatenate([planes, beside])
        return packed(header, planes), bool(curve["more"])

    async def _apart(self, work: Callable[[Unpack[_Given]], _Result], *given: *_Given) -> _Result:
        """Does something with the network in a thread, one thing at a time."""
        async with self._busy:
            return await asyncio.to_thread(work, *given)

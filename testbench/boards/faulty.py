"""A line that drops, flips, doubles, inserts and delays bytes, both ways, from one seed."""

import random
from collections import deque

from toreq_hw.boards.link.simulated import SimulatedTransport

KINDS = ("drop", "flip", "double", "insert", "delay")


class FaultyTransport:
    """`inner`, disturbed: each byte with probability `rate`, by a fault of `kinds`.

    Order is kept, as on any line: a delayed byte holds back those behind it. counts: faults done.
    """

    def __init__(
        self,
        inner: SimulatedTransport,
        seed: int,
        rate: float,
        kinds: tuple[str, ...] = KINDS,
    ) -> None:
        self._inner = inner
        self._random = random.Random(seed)
        self._rate = rate
        self._kinds = kinds
        self._outgoing: deque[tuple[float, int]] = deque()
        self._incoming: deque[tuple[float, int]] = deque()
        self.counts = dict.fromkeys(KINDS, 0)
        self.name, self.baud, self.slack_s = inner.name, inner.baud, inner.slack_s

    def now(self) -> float:
        return self._inner.now()

    def write(self, data: bytes) -> None:
        self._pass(data, self._outgoing)
        self._send()

    def read(self, timeout_s: float) -> bytes:
        end = self.now() + timeout_s
        while self.now() < end:
            self._send()
            if self._incoming and self._incoming[0][0] <= self.now():
                return bytes([self._incoming.popleft()[1]])
            waits = [queue[0][0] for queue in (self._outgoing, self._incoming) if queue]
            step = min([end, *waits]) - self.now()
            self._pass(self._inner.read(max(step, 1e-7)), self._incoming)
        return b""

    def close(self) -> None:
        self._inner.close()

    def _send(self) -> None:
        while self._outgoing and self._outgoing[0][0] <= self.now():
            self._inner.write(bytes([self._outgoing.popleft()[1]]))

    def _pass(self, data: bytes, queue: deque[tuple[float, int]]) -> None:
        for byte in data:
            due = max(self.now(), queue[-1][0] if queue else 0.0)
            kind = self._random.choice(self._kinds) if self._random.random() < self._rate else ""
            if kind:
                self.counts[kind] += 1
            if kind == "delay":
                due += self._random.choice((5, 50, 500)) * 10 / self.baud
            if kind == "insert":
                queue.append((due, self._random.randrange(256)))
            if kind != "drop":
                flipped = byte ^ (1 << self._random.randrange(8)) if kind == "flip" else byte
                queue.extend([(due, flipped)] * (2 if kind == "double" else 1))

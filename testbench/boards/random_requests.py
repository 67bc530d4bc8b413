"""Requests that a host could send, and what chance makes of them: other bytes, another order."""

import random
from dataclasses import replace

import numpy as np

from testbench.boards.small_board import NETWORK, PARAMETERS, ROOM
from toreq_hw.boards.link.protocol import ImageFlag, Request, load_check
from toreq_hw.boards.link.requests import words
from toreq_hw.network import Network

Step = tuple[int, bytes]
"""Type and payload of a request."""

LIMITS = (1, 2, 9, 9, 9, 0x7FFF, 0xFFFF, 0)


def networks() -> tuple[Network, Network]:
    """Two that fit the board."""
    coupling = NETWORK.couplings[0]
    other = replace(
        NETWORK,
        couplings=(coupling.with_parameters(-coupling.parameters),),
        biases={"output": np.array([3, -2], np.int32)},
    )
    return NETWORK, other


class RandomRequests:
    """Draws requests for the small board from `source`, which its caller draws from too."""

    def __init__(self, source: random.Random) -> None:
        self._random = source
        self._loads = [list(words(n, PARAMETERS, ROOM)) for n in networks()]

    def script(self) -> list[Step]:
        """Some requests that make sense together, as they are, mutated, or in another order."""
        kind = self._random.choice(("load", "load", "image", "image", "image", "any"))
        draws = {"load": self.load, "image": self.image}
        steps = draws[kind]() if kind in draws else [self.step() for _ in range(4)]
        fate = self._random.random()
        if fate < 0.25:
            at = self._random.randrange(len(steps))
            steps[at] = (steps[at][0], self._mutated(steps[at][1]))
        elif fate < 0.35:
            self._random.shuffle(steps)
        elif fate < 0.45:
            del steps[self._random.randrange(len(steps))]
        elif fate < 0.5:
            at = self._random.randrange(len(steps))
            steps.insert(at, steps[self._random.randrange(len(steps))])
        if kind == "load" and fate < 0.5 and self._random.random() < 0.7:
            self._sign(steps)
        return steps or [(Request.STATUS, b"")]

    def _sign(self, steps: list[Step]) -> None:
        """Gives COMMIT the check of what is sent before it, whatever that is."""
        for at, (kind, _) in enumerate(steps):
            if kind == Request.COMMIT:
                begin = max((k for k in range(at) if steps[k][0] == Request.BEGIN), default=0)
                sent = b"".join(p for k, p in steps[begin:at] if k == Request.WORDS)
                steps[at] = (Request.COMMIT, load_check(sent).to_bytes(4, "big"))

    def load(self) -> list[Step]:
        """A load, its rows cut into requests anywhere."""
        chunks = list(self._random.choice(self._loads))
        parts = []
        for chunk in chunks:
            head, rows = chunk[:4], chunk[4:]
            cut = self._random.randrange(len(rows) + 1) if self._random.random() < 0.5 else 0
            address = int.from_bytes(head[1:], "big")
            if 0 < cut < len(rows):
                later = head[:1] + (address + cut).to_bytes(3, "big") + rows[cut:]
                parts += [head + rows[:cut], later]
            else:
                parts.append(chunk)
        check = load_check(b"".join(parts)).to_bytes(4, "big")
        return [(Request.BEGIN, b""), *((Request.WORDS, p) for p in parts), (Request.COMMIT, check)]

    def image(self) -> list[Step]:
        """An image in one or more parts, then nudges."""
        rng, report = self._random, self._random.choice((0, ImageFlag.REPORT))
        limit = rng.choice(LIMITS).to_bytes(2, "big")
        values = [rng.randrange(16) for _ in range(PARAMETERS.input.size)]
        if rng.random() < 0.3:
            flag, items = ImageFlag.SPARSE, [bytes([0, k, v]) for k, v in enumerate(values)]
        else:
            flag, items = ImageFlag(0), [bytes([v]) for v in values]
        parts = [items] if rng.random() < 0.7 else [items[:1], items[1:]]
        steps: list[Step] = []
        for number, part in enumerate(parts):
            flags = flag | report
            flags |= ImageFlag.FIRST if number == 0 else ImageFlag(0)
            flags |= ImageFlag.LAST if number == len(parts) - 1 else ImageFlag(0)
            steps.append((Request.IMAGE, bytes([flags]) + limit + b"".join(part)))
        label = rng.randrange(2)
        for command in (1, 2)[: rng.randrange(3)]:
            steps.append((Request.NUDGE, bytes([command | report, 0, label])))
        return steps

    def step(self) -> Step:
        """One request of any kind, or no kind."""
        rng = self._random
        if rng.random() < 0.3:
            length = rng.choice((0, 1, 3, 4, 5, 60, ROOM))
            return rng.randrange(9), rng.randbytes(rng.randrange(length + 1))
        steps = rng.choice((self.load, self.image))()
        bare = [(kind, b"") for kind in (Request.IDENTIFY, Request.STATUS, Request.RESET)]
        kind, payload = rng.choice([*steps, *bare])
        return kind, self._mutated(payload) if rng.random() < 0.5 else payload

    def _mutated(self, payload: bytes) -> bytes:
        """Bits, bytes, ends."""
        rng, data = self._random, bytearray(payload)
        for _ in range(rng.randrange(1, 3)):
            at, how = rng.randrange(len(data) + 1), rng.randrange(4)
            if how == 0 or at == len(data):
                data.insert(at, rng.choice((0, 1, 2, 0x7E, 0x7D, 0xFF, rng.randrange(256))))
            elif how == 1:
                data[at] ^= 1 << rng.randrange(8)
            elif how == 2:
                del data[at]
            else:
                data[at] = rng.randrange(256)
        return bytes(data[:ROOM])

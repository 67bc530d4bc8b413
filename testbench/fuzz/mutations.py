"""Changes of bytes: flips, cuts, repeats, splices, and lies in numbers."""

import re
import struct
from collections.abc import Callable, Sequence
from random import Random

MAX_BYTES = 1 << 18
"""Longer inputs are cut: they cost time and find nothing more."""

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_LARGE = (*_NUMBERS, 1 << 40, (1 << 63) - 1, (1 << 64) - 1)
_FORMS = ("<H", ">H", "<I", ">I", "<Q", ">Q")
_TOKEN = re.compile(rb"-?[0-9]+(?:\.[0-9]+)?|[A-Za-z_]+|[^\sA-Za-z0-9_]")
_TOKENS = (
    *(b"0", b"-1", b"1e999", b"9" * 5000, b"NaN", b"nan", b"inf", b"true", b"null", b"0x7f"),
    *(b'""', b'"\\ud800"', b"[]", b"{}", b"[[", b"\xff", b"\xef\xbb\xbf", b"\0", b"\r", b"\n"),
    *(b"=", b":", b",", b".", b"'", b'"', b'"""', b"#", b"]", b"}", b"[" * 5000, b"a." * 5000),
)

Change = Callable[[Random, bytes, Sequence[bytes]], bytes]


def mutated(rng: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    """One to four changes of `content`; splices take parts of `seeds`."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        content = rng.choice(_CHANGES)(rng, content, seeds)[:MAX_BYTES]
    return content


def invented(rng: Random, seeds: Sequence[bytes]) -> bytes:
    """Bytes out of nothing, or tokens of the seeds in any order."""
    if rng.random() < 0.5:
        return rng.randbytes(rng.choice((0, 1, 3, 8, 40, 400)))
    tokens = _TOKEN.findall(rng.choice(seeds)[:4096]) or [b"x"]
    return b" ".join(rng.choice(tokens) for _ in range(rng.randrange(60)))


def _flip(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8)) if changed else 0):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _overwrite(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    """A number in the place of another, as often as not in the header."""
    form = rng.choice(_FORMS)
    size = struct.calcsize(form)
    last = max(0, min(len(content), rng.choice((16, len(content)))) - size)
    place = rng.randint(0, last)
    number = struct.pack(form, rng.choice(_LARGE) & ((1 << 8 * size) - 1))
    return content[:place] + number + content[place + size :]


def _cut(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content[: rng.randint(0, len(content))]


def _remove(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    first, last = _span(rng, content)
    return content[:first] + content[last:]


def _repeat(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    first, last = _span(rng, content)
    return content[:last] + content[first:last] * rng.choice((1, 2, 50)) + content[last:]


def _splice(rng: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    other = rng.choice(seeds)
    first, last = _span(rng, other)
    place = rng.randint(0, len(content))
    return content[:place] + other[first:last] + content[place + rng.randint(0, 9) :]


def _token(rng: Random, content: bytes, seeds: Sequence[bytes]) -> bytes:
    """A token in the place of another, from a list or from a seed."""
    found = list(_TOKEN.finditer(content[:8192]))
    if not found:
        return _flip(rng, content, seeds)
    old = rng.choice(found)
    new = rng.choice(_TOKENS) if rng.random() < 0.7 else rng.choice(found)[0]
    return content[: old.start()] + new + content[old.end() :]


def _append(rng: Random, content: bytes, _: Sequence[bytes]) -> bytes:
    return content + rng.choice((b"\0", b"\n", rng.randbytes(9), content[:64]))


def _span(rng: Random, content: bytes) -> tuple[int, int]:
    first = rng.randint(0, len(content))
    return first, rng.randint(first, min(len(content), first + rng.choice((1, 8, 200))))


_CHANGES: tuple[Change, ...] = (
    *(_flip, _overwrite, _cut, _remove, _repeat, _splice, _append),
    *(_token, _token),
)

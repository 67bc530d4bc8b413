"""Many tabs at once, for minutes: what the server takes does not grow, and all end with it.

python -m testbench.observatory.load --tabs 20 --seconds 300
"""

import argparse
import sys
import time

import psutil

from testbench.observatory.serving import Page, served

MOST_GROWTH = 64 << 20
"""Bytes that the process may grow by, from a fifth of the time on."""


def load(tabs: int, seconds: float) -> int:
    """Plays phases in all tabs; returns by how many bytes the process grew after its start."""
    process, begin = psutil.Process(), time.monotonic()
    first = 0
    with served() as app:
        pages = [Page(app).__enter__() for _ in range(tabs)]
        number = 0
        while time.monotonic() < begin + seconds:
            number += 1
            shown = number % 300
            for page in pages:
                page.ask("present", sample=shown)
                page.ask("play", rate=0)
            for page in pages:
                page.until(lambda h, n=shown: h["input"]["sample"] == n and h["view"]["atEnd"])
            if not first and time.monotonic() > begin + seconds / 5:
                first = process.memory_info().rss
        grown = process.memory_info().rss - first
        for page in pages:
            page.__exit__()
        frames = sum(page.frames for page in pages)
        sys.stdout.write(
            f"{tabs} tabs, {number} phases each, {frames} frames in {seconds:g} s: "
            f"grown by {grown / 2**20:.1f} MiB\n"
        )
    return grown


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--tabs", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=300)
    given = arguments.parse_args()
    sys.exit(load(given.tabs, given.seconds) > MOST_GROWTH)

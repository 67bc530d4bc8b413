"""`make docs-external`: addresses in the pages still lead somewhere, where they can be reached.

Ends with status 1 where a server says that a page is gone. A server that does not answer is only
named: this machine may be alone.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

ROOT = Path(__file__).parents[1]
PATIENCE_S = 10
GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


def addresses(pages: Iterable[Path]) -> list[str]:
    """Every address that a page links to, once; those of this machine are left out."""
    pattern = re.compile(r"https?://[^\s)>\"'`|\]]+")
    found = {
        address.rstrip(".,;:")
        for page in pages
        for address in pattern.findall(page.read_text(encoding="utf-8"))
    }
    return sorted(a for a in found if not re.match(r"https?://(localhost|127\.|example\.)", a))


def state_of(address: str) -> str:
    """`there`, `gone`, or why nobody knows."""
    request = Request(address, headers={"User-Agent": "toreq-hw docs"})
    try:
        with urlopen(request, timeout=PATIENCE_S):
            return "there"
    except HTTPError as error:
        return "gone" if error.code in GONE else f"not reached: status {error.code}"
    except (URLError, OSError, ValueError) as error:
        return f"not reached: {str(error)[:60]}"


def main(pages: Iterable[Path]) -> int:
    """Says each address that is not there; the exit status."""
    states = {address: state_of(address) for address in addresses(pages)}
    for address, state in states.items():
        if state != "there":
            print(f"{state.upper()}: {address}", flush=True)  # noqa: T201
    there = sum(state == "there" for state in states.values())
    gone = sum(state == "gone" for state in states.values())
    print(f"{there} there, {gone} gone, {len(states) - there - gone} not reached")  # noqa: T201
    return 1 if gone else 0


if __name__ == "__main__":
    listed = subprocess.run(
        ["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    sys.exit(main(ROOT / name for name in listed.stdout.splitlines()))

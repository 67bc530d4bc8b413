"""A browser and a server for the tests of the page."""

from collections.abc import Iterator
from typing import Any

import pytest

from testbench.observatory.serving import served
from testbench.observatory.tabs import CHROMIUM


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="PLAYWRIGHT IS NOT HERE: make .venv/extra-observe-test"
    )
    with playwright.sync_playwright() as tool:
        # the sandbox needs rights that a container may lack; nothing foreign is opened here
        found = tool.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture(scope="module")
def app() -> Iterator[Any]:
    with served() as running:
        yield running

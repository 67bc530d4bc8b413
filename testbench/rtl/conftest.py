"""Networks that several RTL tests share."""

from pathlib import Path

import pytest

from testbench.rtl.simulate import ROOT
from toreq_hw.network import Network, load

DIGITS = ROOT / "build" / "rtl" / "networks" / "digits.safetensors"


@pytest.fixture(scope="session")
def digits() -> Network:
    """A 64-32-10 ternary network trained on digits; `make rtl-test` makes the file."""
    if not Path(DIGITS).exists():
        pytest.fail(f"{DIGITS.relative_to(ROOT)} is missing; run: make rtl-test")
    return load(DIGITS)

"""What all tests share: how hypothesis draws its cases, and under which BLAS they run."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from toreq_hw.versions import blas

# A landing must not hang on luck or on how busy the machine is; elsewhere every run explores.
settings.register_profile(
    "ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
if os.environ.get("CI"):
    settings.load_profile("ci")

USUAL_BLAS = "TOREQ_HW_USUAL_BLAS"
"""Set by testbench/other_blas.py: the kernels that must not be the ones in use."""


def pytest_configure() -> None:
    """Hears Ctrl-C again where a shell that works in the background has this process ignore it.

    Ends a run that was to be under other kernels and is not.
    """
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    usual = os.environ.get(USUAL_BLAS)
    if usual is not None and blas() == usual:
        pytest.exit(f"BLAS kernels must be others than {usual}, found the same", returncode=3)

"""`make test-other-blas`: the tests of float sums again, as another processor would run them.

OpenBLAS is told to use another processor's kernels, numpy to leave out what it compiled for newer
processors. That the kernels are others is checked, here and again in the tests' own process.
"""

import os
import subprocess
import sys

import numpy as np

from testbench.conftest import USUAL_BLAS

CANDIDATES = ("Nehalem", "Haswell", "ARMV8", "NEOVERSEN1")
PROBE = "from toreq_hw.versions import blas; print(blas())"
TESTS = ("testbench/sim", "testbench/commands")


def main() -> int:
    """Status of the tests; an explanation on standard error where no other kernel can be had."""
    usual = _kernels({})
    for candidate in CANDIDATES:
        changed = {"OPENBLAS_CORETYPE": candidate, "NPY_DISABLE_CPU_FEATURES": _newer()}
        if (other := _kernels(changed)) not in ("", usual):
            break
    else:
        sys.exit(f"another BLAS kernel must be available, found only: {usual}")
    sys.stderr.write(f"BLAS: {other}, usually {usual}\n")
    command = [sys.executable, "-m", "pytest", "-m", "float_sums", *TESTS, *sys.argv[1:]]
    environment = {**os.environ, **changed, USUAL_BLAS: usual}
    return subprocess.run(command, env=environment, check=False).returncode


def _kernels(changed: dict[str, str]) -> str:
    """What BLAS a process with these variables loads; empty where it cannot run with them."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        env={**os.environ, **changed},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout.strip()


def _newer() -> str:
    """Extensions of the processor that numpy found here and could do without."""
    return " ".join(np.show_config(mode="dicts")["SIMD Extensions"].get("found", []))


if __name__ == "__main__":
    sys.exit(main())

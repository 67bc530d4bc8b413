"""Breaks the simulator on purpose, one rule at a time, and counts how often the tests notice.

    python testbench/sim_mutants.py     (make sim-mutants)

Each mutant is one changed expression in a copy of the tree; it is killed if a test of
testbench/core or testbench/sim fails. Writes build/sim-mutants.json; status 1 if one survives.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Mutant:
    """`before`, found exactly once in `file`, becomes `after`."""

    file: str
    before: str
    after: str


MUTANTS = (
    Mutant("sim/fixed_point.py", "return (1 << fraction_bits) >> 1", "return 0"),
    Mutant("sim/fixed_point.py", "np.clip(rounded, state_min", "np.clip(rounded, 0"),
    Mutant("sim/fixed_point.py", "<< fraction_bits) >> beta_shift", "<< fraction_bits) // (1 + beta_shift)"),
    Mutant("sim/reference.py", "(weight @ states[coupling.post]) << shift", "weight @ states[coupling.post]"),
    Mutant("sim/reference.py", "> start.threshold", ">= start.threshold"),
    Mutant("sim/dense.py", "total += start.drive[active]", "total -= start.drive[active]"),
    Mutant("sim/dense.py", "if start.detects_cycles and", "if False and"),
    Mutant("sim/exact_product.py", "FLOAT32_EXACT = 1 << 24", "FLOAT32_EXACT = 1 << 26"),
    Mutant("sim/event_kernel.py", "np.int32(sums[i] + half)", "np.int32(sums[i])"),
    Mutant("sim/event_kernel.py", "if abs(delta) > threshold", "if abs(delta) >= threshold"),
    Mutant("sim/event_kernel.py", "copy(accumulator, plan.bias)", "copy(accumulator, accumulator)"),
    Mutant("sim/delivery_kernel.py", "        scratch.version[target] += 1\n", ""),
    Mutant("sim/delivery_kernel.py", "        partial[:] = 0\n", ""),
    Mutant("sim/delivery_kernel.py", "weights[back + first :]", "weights[back:]"),
    Mutant("sim/plan.py", "return SUM_LIMIT //", "return 2 * SUM_LIMIT //"),
    Mutant("sim/costs.py", "both_ways = 1 if coupling.is_self_coupling else 2", "both_ways = 2"),
    Mutant("sim/energy.py", "(2 * rounding_half(fraction_bits) + 1)", "(2 * rounding_half(fraction_bits) - 1)"),
    Mutant("sim/energy.py", "times = 1 if", "times = 2 if"),
    Mutant("sim/generator.py", "np.uint32(17)", "np.uint32(16)"),
    Mutant("sim/generator.py", "WEYL_STEP = 0x9E37", "WEYL_STEP = 0x9E35"),
    Mutant("sim/synapses.py", "(wide >= theta)", "(wide > theta)"),
    Mutant("sim/learning_kernel.py", "begin = row + 1 if pre == post else 0", "begin = 0"),
    Mutant("sim/learning_kernel.py", "positive if sign > 0 else negative", "negative if sign > 0 else positive"),
    Mutant("sim/learning_kernel.py", "if s_positive == 0 and s_negative == 0:", "if s_positive == 0:"),
    Mutant("sim/learning_kernel.py", "np.int32(word >> np.int32(np.int32(16) - shift))", "np.int32(0)"),
    Mutant("sim/learning_kernel.py", "product = s_max * (", "product = ("),
    Mutant("sim/learning.py", "self.random_state = np.uint32(state)", "pass"),
    Mutant("sim/learning.py", "latents += latents.T", "pass"),
    Mutant("sim/float_eqprop.py", "product += pre.T @", "product += 0 * pre.T @"),
    Mutant("sim/float_eqprop.py", "scale = -1 / (2 * beta", "scale = -1 / (beta"),
    Mutant("toreq_hw/network/bounds.py", "        high += nudge\n", ""),
    Mutant("toreq_hw/network/schedule.py", "parity[population.name] = 0", "parity[population.name] = 1"),
    Mutant("toreq_hw/data/dataset.py", "population.state_max + pixel_max", "population.state_max"),
)  # fmt: skip

TESTS = ("testbench/sim", "testbench/core", "--deselect", "testbench/sim/test_mnist.py")


def is_killed(mutant: Mutant, tests: Sequence[str]) -> bool:
    """Applies the mutant to a copy of the tree and runs `tests` until one fails or crashes."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "tree"
        ignored = shutil.ignore_patterns(".git", ".venv", "build", "__pycache__")
        shutil.copytree(ROOT, copy, symlinks=True, ignore=ignored)
        target = copy / mutant.file
        source = target.read_text()
        if source.count(mutant.before) != 1:
            raise SystemExit(f"{mutant.file}: must hold {mutant.before!r} exactly once")
        target.write_text(source.replace(mutant.before, mutant.after))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, *tests], cwd=copy, env=_environment(copy), capture_output=True, check=False
        )
        return done.returncode == 1 or done.returncode < 0  # a signal ended it


def _environment(copy: Path) -> dict[str, str]:
    """The copy comes first on the path; compiled code goes with it."""
    return {**os.environ, "PYTHONPATH": str(copy), "NUMBA_CACHE_DIR": str(copy / "build")}


def campaign(trials: Sequence[tuple[Mutant, Sequence[str]]], name: str) -> int:
    """Tries every mutant on its tests and prints one line each; 1 if one survives."""
    results = []
    for mutant, tests in trials:
        killed = is_killed(mutant, tests)
        results.append({**asdict(mutant), "killed": killed})
        print("killed  " if killed else "SURVIVED", mutant.file, repr(mutant.before), flush=True)
    survivors = sum(not result["killed"] for result in results)
    path = ROOT / "build" / f"{name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n")
    print(f"{len(results) - survivors} of {len(results)} mutants killed; wrote {path}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(campaign([(mutant, TESTS) for mutant in MUTANTS], "sim-mutants"))

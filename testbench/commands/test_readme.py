"""Every command and example of the README runs as it stands there."""

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from testbench.readme import README, ROOT, blocks, run
from toreq_hw.data.sources import MNIST, find


def test_tour(tmp_path: Path) -> None:
    for block in blocks("sh"):
        for line in block.splitlines():
            run(line.split(), tmp_path)
    for block in blocks("python"):
        output = run([sys.executable, "-c", block], tmp_path)
        assert "[[  0   0" in output  # the trajectory starts at rest


def test_own_data(tmp_path: Path) -> None:
    from sklearn.datasets import load_wine

    wine = load_wine()
    columns = [name.replace(",", "") for name in wine.feature_names]
    rows = [",".join([*columns, "quality"])]
    for values, target in zip(wine.data, wine.target, strict=True):
        rows.append(",".join([*map(str, values), ("good", "fair", "poor")[target]]))
    (tmp_path / "wine.csv").write_text("\n".join(rows), encoding="utf-8")
    for line in blocks("sh own")[0].splitlines():
        output = run(shlex.split(line), tmp_path)
    for block in blocks("python own"):
        assert float(run([sys.executable, "-c", block], tmp_path)) > 0.9
    accuracy = re.search(r"test accuracy\s+│\s+([\d.]+) % of 36", output)
    assert accuracy
    assert float(accuracy[1]) >= 80


@pytest.mark.skipif(
    find(MNIST) is None,
    reason="MNIST IS NOT HERE: set TOREQ_HW_DATA to a folder holding mnist/ to run this test",
)
def test_tour_on_mnist(tmp_path: Path) -> None:
    for block in blocks("sh mnist"):
        for line in block.splitlines():
            output = run(line.split(), tmp_path)
    accuracy = re.search(r"test accuracy\s+│\s+([\d.]+) % of 10,000", output)
    assert accuracy
    assert float(accuracy[1]) >= 98.0
    assert re.search(r"did not settle\s+│\s+0 ", output)


def test_every_make_target_named_exists_and_every_link_leads_somewhere() -> None:
    makefile = (ROOT / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", README, flags=re.MULTILINE))
    assert {"sim", "observe", "test", "docs", "lint"} <= named
    for target in named:
        assert re.search(rf"^{target}:", makefile, flags=re.MULTILINE), target
    for link in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / link).exists(), link


@pytest.mark.float_sums
def test_the_table_is_what_make_sim_prints(tmp_path: Path) -> None:
    executable = shutil.which("toreq-hw", path=str(Path(sys.executable).parent))
    assert executable
    output = run([executable, "demo", "--out", str(tmp_path)], ROOT)
    table = re.search(r"^```\nternary 64-128-10.*?^```$", README, flags=re.DOTALL | re.MULTILINE)
    assert table
    for row in table[0].splitlines()[2:-1]:
        name, value = re.split(r"\s{2,}", row.strip())
        assert re.search(rf"{re.escape(name)}\s+│\s+{re.escape(value)}\s", output), row


BOARDS = {
    "| iCEBreaker (UP5K), 16 lanes |": "mnist on icebreaker, 16 lanes",
    "| ULX3S (85F), 64 lanes |": "mnist on ulx3s_85f, 64 lanes",
    "| ULX3S (85F), 32 lanes |": "mnist-int8 on ulx3s_85f, 32 lanes",
}
"""Beginning of a line of docs/measured.md to the name of a row of the published report."""

MEASURED = (ROOT / "docs/measured.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("begins", BOARDS)
def test_figures_of_boards_are_the_published_ones(begins: str) -> None:
    record = json.loads((ROOT / "reports/published/synthesis.json").read_text())
    (row,) = [row for row in record["rows"] if row["name"] == BOARDS[begins]]
    (line,) = [line for line in MEASURED.splitlines() if line.startswith(begins)]
    built = row["synthesis"]
    for figure in (
        f" {100 * row['workload']['accuracy']:.2f} % ",
        f" {built['resources']['lut4']:,} ",
        f" {built['constraint_mhz']:.0f} MHz, "
        f"{built['fmax_min_mhz']:.1f} to {built['fmax_max_mhz']:.1f} ",
        f" {row['latency']['p95_us']:.3g} us ",
    ):
        assert figure in line


def published(name: str) -> str:
    return (ROOT / f"reports/published/{name}.md").read_text(encoding="utf-8")


def test_figures_of_what_you_get_are_published() -> None:
    record = json.loads((ROOT / "reports/published/synthesis.json").read_text(encoding="utf-8"))
    ternary = {f"{100 * row['workload']['accuracy']:.2f}" for row in record["rows"]}
    assert "98.64 % of MNIST ternary" in README
    assert "98.64" in ternary
    assert "99.25 % with INT8 convolutions" in README
    (row,) = [
        r
        for r in published("structured").splitlines()
        if "| 42,272 |" in " ".join(r.split()) and "int8" in r
    ]
    assert "| 99.25 ± 0.07 |" in " ".join(row.split())
    lead = " ".join(published("parity").split())
    assert "within 0.41 points" in README
    assert "0.41" in lead


FIRST_SCREEN = README.split("## ")[0]


def test_the_first_screen_says_what_for_whom_and_how_far() -> None:
    assert len(FIRST_SCREEN.splitlines()) <= 50
    assert len(README.splitlines()) <= 200
    what = FIRST_SCREEN.split("\n\n")[1]
    assert what.count(".") == 1
    for reader in ("FPGA engineers", "neuromorphic engineers", "EqProp researchers"):
        assert reader in " ".join(what.split())
    assert re.search(r"^!\[[^\]]{20,}\]\(docs/.*\.gif\)$", FIRST_SCREEN, re.MULTILINE)
    commands = re.findall(r"^\| `make ([a-z]+)` \|.*\| \d+ \|$", FIRST_SCREEN, re.MULTILINE)
    assert commands == ["sim", "observe", "test", "docs"]
    status = [r.split("|")[2] for r in FIRST_SCREEN.splitlines() if r.startswith("| ")][6:]
    assert len(status) >= 8
    assert all("simulated" in words for words in status)
    assert sum("no board has run them yet" in words for words in status) == 1
    assert "No telemetry." in FIRST_SCREEN


def test_every_reader_has_a_way() -> None:
    for reader in ("a researcher", "an FPGA engineer", "a neuromorphic engineer"):
        assert f"\n## For {reader}\n" in README


def test_every_block_of_commands_is_run_by_a_test() -> None:
    kinds = set(re.findall(r"^```([a-z][a-z ]*)$", README, re.MULTILINE)) - {"mermaid"}
    sources = "".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "testbench").rglob("test_readme*.py")
    )
    assert kinds == {
        "sh",
        "sh own",
        "sh mnist",
        "sh fpga",
        "sh neuromorphic",
        "python",
        "python own",
    }
    for kind in kinds:
        assert re.search(rf'(blocks|run_lines)\("{kind}"', sources), kind

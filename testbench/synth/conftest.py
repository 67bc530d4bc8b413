"""One real build a family, shared by the tests that read it."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from toreq_hw.boards import registry
from toreq_hw.boards.clock import clocking
from toreq_hw.boards.flow.build import Build, build
from toreq_hw.boards.flow.plan import Plan, plan
from toreq_hw.boards.smoke import Smoke

OF_EACH_FAMILY = ("icebreaker", "ulx3s_25f", "tang_nano_9k")


@dataclass(frozen=True)
class Smoked:
    """A smoke design that was built in `cache`. events: what the watcher was told."""

    plan: Plan
    build: Build
    cache: Path
    events: list[tuple[str, float | None, bool]]

    def stages(self, kind: str) -> list[Path]:
        """Folders of finished stages whose name begins with `kind`."""
        return sorted(self.cache.glob(f"{kind}-*"))


def smoked(name: str, cache: Path, seeds: tuple[int, ...] = (1, 2)) -> Smoked:
    board = registry.get(name)
    pll = clocking.solve(board)
    design = Smoke(pll.output_hz)
    planned = plan(board, pll, design, design.led, ())
    events: list[tuple[str, float | None, bool]] = []

    def watch(stage: str, seconds: float | None, cached: bool, note: str = "", /) -> None:
        if not note:
            events.append((stage, seconds, cached))

    done = build(planned, seeds, cache, 2, watch)
    return Smoked(planned, done, cache, events)


@pytest.fixture(scope="session", params=OF_EACH_FAMILY)
def smoke(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Smoked:
    return smoked(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="session")
def ice40(tmp_path_factory: pytest.TempPathFactory) -> Smoked:
    return smoked("icebreaker", tmp_path_factory.mktemp("ice40"))

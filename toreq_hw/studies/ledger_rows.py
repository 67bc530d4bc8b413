"""What the rows of each study's ledger are, so that one can be read by its path alone."""

from pathlib import Path
from typing import Any

from toreq_hw.records.bench import BenchRow
from toreq_hw.records.core_relearning import CoreRelearning
from toreq_hw.records.critical import Critical
from toreq_hw.records.energy import Activity
from toreq_hw.records.estimators import FoldRun
from toreq_hw.records.gradients import GradientRun
from toreq_hw.records.lazy import Measured
from toreq_hw.records.learning import LearningRun
from toreq_hw.records.parity import MemoryProbe, ParityRun
from toreq_hw.records.recovery import Recovery, Relearning
from toreq_hw.records.search import Measured as SearchMeasured
from toreq_hw.records.search import Placed, Synthesised, Timed, Trained
from toreq_hw.records.structured import StructuredRun
from toreq_hw.records.synthesis import Design, Figures
from toreq_hw.records.text import TextRun
from toreq_hw.records.verification import TrackRun
from toreq_hw.sim.campaign.trial import Trial
from toreq_hw.sim.perturbation.layer import KINDS
from toreq_hw.studies.ledger import Ledger, study_of

ROWS: dict[str, type] = {
    "bench": BenchRow,
    "core-relearning": CoreRelearning,
    "critical": Critical,
    "depth": StructuredRun,
    "designs": Design,
    "estimators": FoldRun,
    "figures": Figures,
    "gradients": GradientRun,
    "lazy": Measured,
    "learning": LearningRun,
    "learning-activity": Activity,
    "memory": MemoryProbe,
    "parity": ParityRun,
    "relearn": Recovery,
    "relearning": Relearning,
    "search-cycles": Timed,
    "search-damage": SearchMeasured,
    "search-energy": SearchMeasured,
    "search-learning": SearchMeasured,
    "search-place": Placed,
    "search-synthesis": Synthesised,
    "search-test": SearchMeasured,
    "search-training": Trained,
    "structured": StructuredRun,
    "text": TextRun,
    "verification": TrackRun,
}
"""By the study that a ledger names; a campaign is named after its layer, and has trials."""


def read_ledger(path: Path) -> Ledger[Any]:
    """The ledger at `path`, whatever it is called. Raises InputError, naming the line.

    Rows of a study that is not of this package are taken as they are.
    """
    study = study_of(path)
    return Ledger.at(path, Trial if study in KINDS else ROWS.get(study, dict))

"""Which command writes which record, so that a file can be told from any other JSON."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields

from toreq_hw.records.bench import Bench
from toreq_hw.records.boards import Boards
from toreq_hw.records.campaign import Campaign
from toreq_hw.records.core_files import CoreFiles
from toreq_hw.records.deployment import (
    ApproximateRun,
    BoardRun,
    CoreRun,
    DeploymentRun,
    LoihiRun,
    NengoRun,
    NirExport,
    SimRun,
)
from toreq_hw.records.depth import Depth
from toreq_hw.records.design import SynthesisRecord
from toreq_hw.records.estimators import Estimators
from toreq_hw.records.exchange import Exported, Imported
from toreq_hw.records.gradients import Cosines, Gradients
from toreq_hw.records.lazy import LazyRecord
from toreq_hw.records.learning import Learning
from toreq_hw.records.parity import Parity, TrainedNetwork
from toreq_hw.records.quantisation import Quantised
from toreq_hw.records.recovery import Relearned
from toreq_hw.records.relaxed import Relaxed
from toreq_hw.records.replay import Replayed
from toreq_hw.records.robustness import Robustness
from toreq_hw.records.search import Searches
from toreq_hw.records.simulation import Simulation
from toreq_hw.records.structured import Structured
from toreq_hw.records.synthesis import Synthesis
from toreq_hw.records.text import TextRecord
from toreq_hw.records.training import IntegerTraining
from toreq_hw.records.verification import Verification


@dataclass(frozen=True)
class RecordKind:
    """command: what writes it, after `toreq-hw`. parts: dataclasses whose fields lie side by side
    in one JSON object.
    """

    command: str
    parts: tuple[type, ...]

    def fits(self, content: Mapping[str, object]) -> bool:
        """Whether an object has the names of all its fields, and no others."""
        known = [field for part in self.parts for field in fields(part)]
        needed = {
            field.name
            for field in known
            if field.default is MISSING and field.default_factory is MISSING
        }
        return needed <= content.keys() <= {field.name for field in known}


KINDS = (
    RecordKind("boards", (Boards,)),
    RecordKind("train", (IntegerTraining,)),
    RecordKind("train --engine torch", (TrainedNetwork,)),
    RecordKind("simulate", (Relaxed,)),
    RecordKind("cosine", (Cosines,)),
    RecordKind("study text", (TextRecord,)),
    RecordKind("study depth", (Depth,)),
    RecordKind("study estimators", (Estimators,)),
    RecordKind("study gradients", (Gradients,)),
    RecordKind("inject", (Campaign,)),
    RecordKind("replay", (Replayed,)),
    RecordKind("relearn", (Relearned,)),
    RecordKind("quantize", (Quantised,)),
    RecordKind("import", (Imported,)),
    RecordKind("export", (Exported,)),
    RecordKind("rtl", (CoreFiles,)),
    RecordKind("synth", (SynthesisRecord,)),
    RecordKind("demo", (Simulation,)),
    RecordKind("bench", (Bench,)),
    RecordKind("parity", (Parity,)),
    RecordKind("reports", (Synthesis,)),
    RecordKind("learning", (Learning,)),
    RecordKind("lazy", (LazyRecord,)),
    RecordKind("robustness", (Robustness,)),
    RecordKind("structured", (Structured,)),
    RecordKind("search", (Searches,)),
    RecordKind("verify", (Verification,)),
    *(
        RecordKind("deploy", (DeploymentRun, run))
        for run in (SimRun, CoreRun, BoardRun, LoihiRun, NengoRun, ApproximateRun, NirExport)
    ),
)
"""Every record of a command."""


def record_kind(content: Mapping[str, object]) -> RecordKind | None:
    """The kind of record whose fields an object has; None for other JSON."""
    return next((kind for kind in KINDS if kind.fits(content)), None)

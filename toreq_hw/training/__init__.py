"""Training, by either engine: what both are asked, what both tell, and what comes out.

from toreq_hw import train
trained = train("digits", hidden=(64,), weights="int8", epochs=10)
trained.network, trained.accuracy, trained.recipe, trained.history[-1].accuracy
"""

from toreq_hw.training.front import ENGINES, train
from toreq_hw.training.integer import IntegerSettings
from toreq_hw.training.reports import Callbacks, EpochReport, StopTraining, UpdateReport
from toreq_hw.training.request import Trained

__all__ = [
    "ENGINES",
    "Callbacks",
    "EpochReport",
    "IntegerSettings",
    "StopTraining",
    "Trained",
    "UpdateReport",
    "train",
]

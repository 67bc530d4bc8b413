"""Learning on chip: the integer rule of docs/numerics.md, section 6, and what a training keeps.

trainer.py is the front door, kernel.py what runs, reference.py what it is held against.
"""

from toreq_hw.sim.learning.rule import Rule
from toreq_hw.sim.learning.trainer import Progress, Trainer

__all__ = ["Progress", "Rule", "Trainer"]

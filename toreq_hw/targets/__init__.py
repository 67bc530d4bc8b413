"""What a network can be deployed to: one module a target, one line each in the registry.

from toreq_hw import targets
target = targets.get("sim")
outcome = target.run(network, samples, targets.Options())
"""

from toreq_hw.targets.registry import all_targets, get, names
from toreq_hw.targets.target import Options, Outcome, Samples, Target, Watch

__all__ = ["Options", "Outcome", "Samples", "Target", "Watch", "all_targets", "get", "names"]

"""What a network can be deployed to: one module a target, one line each in the registry.

from toreq_hw import targets
deployed = targets.deploy(net, targets.samples_of(net, "digits", 20), "rtl")
deployed.passed, deployed.outcome.record.cycles_per_sample
"""

from toreq_hw.targets.deploying import Deployed, able_target, deploy, samples_of
from toreq_hw.targets.registry import all_targets, get, names, statuses
from toreq_hw.targets.target import Options, Outcome, Samples, Target, Watch

__all__ = [
    "Deployed",
    "Options",
    "Outcome",
    "Samples",
    "Target",
    "Watch",
    "able_target",
    "all_targets",
    "deploy",
    "get",
    "names",
    "samples_of",
    "statuses",
]

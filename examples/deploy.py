"""Deploy to a target and read what it found: python examples/deploy.py [TARGET]"""

import sys

from toreq_hw import targets, train
from toreq_hw.network import Network


def run(net: Network, target: str, samples: int) -> targets.Deployed:
    """All three phases of some test digits, each state of each tick checked."""
    options = targets.Options(port="sim" if target == "icebreaker" else None)
    return targets.deploy(net, targets.samples_of(net, "digits", samples), target, options)


if __name__ == "__main__":
    name = sys.argv[1] if len(sys.argv) > 1 else "sim"
    deployed = run(train("digits", hidden=(64,)).network, name, 20)
    print("passed" if deployed.passed else "FAILED", deployed.outcome.record)
    raise SystemExit(0 if deployed.passed else 1)

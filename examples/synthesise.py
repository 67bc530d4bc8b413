"""Build a bitstream for a board with open tools: python examples/synthesise.py"""

from pathlib import Path

from toreq_hw import boards, train
from toreq_hw.network import Network
from toreq_hw.records.design import SynthesisRecord


def run(net: Network, folder: Path, lanes: int | None = None) -> SynthesisRecord:
    """One run of place and route for the iCEBreaker; the bitstream lands in `folder`."""
    request = boards.Request.of(net, "icebreaker", lanes=lanes, seeds=1, out=folder)
    return boards.synthesise(request)


if __name__ == "__main__":
    done = run(train("digits", hidden=(64,)).network, Path("build/example-board"))
    print(f"{done.resources.lut4} LUTs, {done.fmax_max_mhz:.1f} of {done.constraint_mhz:.1f} MHz")

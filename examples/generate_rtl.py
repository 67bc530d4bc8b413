"""Write the core of a network as Verilog: python examples/generate_rtl.py"""

from pathlib import Path

from toreq_hw import rtl, train
from toreq_hw.network import Network
from toreq_hw.records.core_files import CoreFiles


def run(net: Network, folder: Path) -> CoreFiles:
    """Writes core.v, memory images and a datasheet into `folder`."""
    return rtl.write_core(net, rtl.CoreParameters.of(net, lanes=8), folder)


if __name__ == "__main__":
    files = run(train("digits", hidden=(64,)).network, Path("build/example-rtl"))
    print(f"{files.accumulator_bits} bits an accumulator, memories {files.memory_bits}")
    for what, path in files.files.items():
        print(f"{what}: {path}")

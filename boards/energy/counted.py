"""A compiled model of any design that counts its own activity."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from amaranth import Elaboratable

from toreq_hw.rtl.compiled_model import CompiledModel, compile_design

_DRIVER = Path(__file__).with_name("activity_driver.cpp")


@dataclass(frozen=True)
class Counts:
    """Since the model was made. toggles: bits of registers that changed, outputs of clocked
    memories among them. written_bits: of memory words at each write that changed the word.
    """

    toggles: int
    written_bits: int


class CountedDesign(CompiledModel):
    """`design` compiled into `folder` (kept between runs), its clock low.

    The design has one domain, `sync`, and ports by name. Raises MissingDependencyError without
    g++.
    """

    def __init__(self, design: Elaboratable, folder: Path, ports: Any = None) -> None:
        library = compile_design(
            design, "counted", folder, drivers=[_DRIVER], top="top", ports=ports
        )
        super().__init__(library)

    def counts(self) -> Counts:
        """Of everything so far."""
        counts = np.zeros(2, np.uint64)
        self.call("activity_counts", counts)
        return Counts(*counts.tolist())

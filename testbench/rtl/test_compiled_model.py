"""A compiled model is made by the wheels alone, whatever else is installed."""

import os
from pathlib import Path

import pytest
from amaranth import Elaboratable, Module, Signal

from toreq_hw.rtl.compiled_model import CompiledModel, compile_design


class Counter(Elaboratable):
    """Counts clock cycles."""

    def __init__(self) -> None:
        self.count = Signal(8)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.d.sync += self.count.eq(self.count + 1)
        return m


def test_an_old_yosys_on_the_path_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's writes the name of a header that the wheel does not have."""
    old = tmp_path / "bin" / "yosys"
    old.parent.mkdir()
    old.write_text('#!/bin/sh\ncase "$1" in -V) echo "Yosys 0.23";; *) echo broken;; esac\n')
    old.chmod(0o755)
    monkeypatch.setenv("PATH", f"{old.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("AMARANTH_USE_YOSYS", raising=False)
    design = Counter()
    library = compile_design(design, "counter", tmp_path, ports=[design.count])
    model = CompiledModel(library)
    model.reset()
    for _ in range(5):
        model.cycle()
    assert model.get("count") == 5
    model.close()

"""The cache of compiled code follows what a function is made from, and nothing else."""

from toreq_hw.sim.kernel_sources import _texts, digest_of, sources_of

TEXTS = {
    "toreq_hw.sim.a": b"from toreq_hw.sim.b import one\nfrom toreq_hw.sim import c\n",
    "toreq_hw.sim.b": b"from toreq_hw.contract.d import (\n    two,\n    three,\n)\n",
    "toreq_hw.sim.c": b"    from toreq_hw.sim.e import later\n",
    "toreq_hw.sim": b"from toreq_hw.sim.a import one\n",
    "toreq_hw.contract.d": b"from toreq_hw.sim.a import circle\n",
    "toreq_hw.sim.e": b"x = 1\n",
    "toreq_hw.sim.f": b"class Fields(NamedTuple):\n    x: int\n",
}


def test_imports_are_followed_through_files_and_packages() -> None:
    found = sources_of("toreq_hw.sim.b", TEXTS)
    assert found == {f"toreq_hw.{n}" for n in ("sim.a", "sim.b", "sim.c", "sim", "sim.f")} | {
        "toreq_hw.contract.d"
    }
    assert sources_of("toreq_hw.sim.e", TEXTS) == {"toreq_hw.sim.e", "toreq_hw.sim.f"}


def test_kernels_rest_on_what_they_call_and_on_the_fields_of_arguments() -> None:
    texts = _texts()
    event = sources_of("toreq_hw.sim.event_kernel", texts)
    learning = sources_of("toreq_hw.sim.learning.kernel", texts)
    for name in ("sim.delivery_kernel", "sim.plan", "sim.vector_kernel", "network.fixed_point"):
        assert f"toreq_hw.{name}" in learning
    for name in ("sim.event_kernel", "sim.delivery_kernel", "contract.cycles"):
        assert f"toreq_hw.{name}" in event
    assert "toreq_hw.sim.learning.update_kernel" in learning
    assert "toreq_hw.sim.learning.update_kernel" not in event
    assert "toreq_hw.sim.phases" not in event
    assert "toreq_hw.sim.recorder" not in event
    fields = {name for name, text in texts.items() if b"(NamedTuple)" in text}
    assert fields <= event
    assert digest_of("toreq_hw.sim.event_kernel") != digest_of("toreq_hw.sim.learning.kernel")

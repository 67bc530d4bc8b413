"""The lists of chunks that can move a synapse, and the place in them."""

from amaranth import Module, Signal, Value, unsigned
from amaranth.lib import data

from toreq_hw.rtl.interfaces import state_shape
from toreq_hw.rtl.learning.tables import Region
from toreq_hw.rtl.memory import check_width, make_memory
from toreq_hw.rtl.parameters import CoreParameters


def chunk_layout(parameters: CoreParameters) -> data.StructLayout:
    """plus, minus: states of its lanes in the positive and the negative phase. number: in its
    population. step: what its first neuron adds to a row's random word. moved: any state differs.
    """
    assert parameters.learning is not None, "only a core that learns has chunks"
    states = data.ArrayLayout(state_shape(parameters), parameters.learning.lanes)
    return data.StructLayout(
        {
            "plus": states,
            "minus": states,
            "number": unsigned(parameters.learning.number_bits),
            "step": unsigned(16),
            "moved": 1,
        }
    )


class ChunkLists:
    """A region of one memory for each list; a chunk is appended, or read one after another.

    found: the chunk to append. chunk: the one at `place`. empty: the list begun with `begin` has
    none.
    """

    def __init__(self, m: Module, parameters: CoreParameters) -> None:
        learning = parameters.learning
        assert learning is not None, "only a core that learns has chunks"
        layout = chunk_layout(parameters)
        spec = parameters.memory("chunks")
        check_width(spec, layout)
        m.submodules.chunks = chunks = make_memory(spec)
        self._write, read = chunks.write_port(), chunks.read_port()
        self.found = Signal(layout, name="found_chunk")
        self.chunk = Signal(layout, name="chunk")
        regions = (*learning.moved, *learning.reached)
        self._counts = {
            region: Signal(learning.entry_bits, name=f"chunks{k}")
            for k, region in enumerate(regions)
        }
        self._moved = learning.moved
        self._begin, self._end, self._place, self._next_place = (
            Signal(learning.entry_bits, name=name)
            for name in ("begin", "end", "place", "next_place")
        )
        m.d.comb += [
            self._write.data.eq(self.found.as_value()),
            self.chunk.eq(read.data),
            self._next_place.eq(self._place),
            read.addr.eq(self._next_place),
        ]
        m.d.sync += self._place.eq(self._next_place)

    def clear(self, m: Module) -> None:
        """Empties all lists."""
        m.d.sync += [count.eq(0) for count in self._counts.values()]

    def append(self, m: Module, region: Region, belongs: Value) -> None:
        """Appends `found` to a list if it belongs there."""
        count = self._counts[region]
        with m.If(belongs):
            m.d.comb += [self._write.en.eq(1), self._write.addr.eq(region.first + count)]
            m.d.sync += count.eq(count + 1)

    def moved(self, population: int) -> Value:
        """Whether any neuron of a population moved."""
        return self._counts[self._moved[population]] != 0

    def begin(self, m: Module, region: Region) -> None:
        """Goes to the first chunk of a list, which is there two cycles later, and stays so."""
        m.d.comb += self._next_place.eq(region.first)
        m.d.sync += [
            self._begin.eq(region.first),
            self._end.eq(region.first + self._counts[region]),
        ]

    @property
    def empty(self) -> Value:
        """Whether the list at hand has no chunk."""
        return self._begin == self._end

    @property
    def last(self) -> Value:
        """Whether the chunk at hand is the last one of its list."""
        return self._place + 1 == self._end

    def advance(self, m: Module) -> None:
        """The next chunk in the next cycle; behind the last one the first again."""
        m.d.comb += self._next_place.eq(self._place + 1)
        with m.If(self.last):
            m.d.comb += self._next_place.eq(self._begin)

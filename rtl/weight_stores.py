"""The stores of a core: which one a beat reads, and what its words mean."""

from functools import reduce
from operator import or_
from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import data

from toreq_hw.rtl.beat import is_one_of
from toreq_hw.rtl.images import MemoryImages
from toreq_hw.rtl.learning.latents import weight_of
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.rtl.row_store import RowStore
from toreq_hw.rtl.skewed_store import SkewedStore


class WeightStores:
    """Every store, wired to what reads it: `beat` of a walk, while `active`.

    loads: one strobe a store, with `load_address` and `load_data`. learning: the learning part of a
    core that learns, which reads and writes latents too. faults: the core's fault port, if it has
    one and learns: the members of `stuck_signature`.
    """

    def __init__(
        self, m: Module, parameters: CoreParameters, images: MemoryImages, faults: Any = None
    ) -> None:
        self._m, self._parameters, self._images = m, parameters, images
        self._faults = faults
        self._stores: list[Any] = []

    def connect_reads(self, beat: Any, active: Value, learning: Any = None) -> None:
        """Reads the addressed store; the others rest."""
        m, several = self._m, len(self._parameters.stores) > 1
        asked, chosen = (Signal.like(beat.store, name=n) for n in ("asked", "chosen"))
        m.d.sync += [asked.eq(beat.store), chosen.eq(asked)]
        self.chosen = chosen
        for number, entry in enumerate(self._parameters.stores):
            words = self._images.stores[number]
            read = Signal(name=f"read{number}")
            address = Signal.like(beat.address, name=f"address{number}")
            m.d.comb += [
                read.eq(active & (beat.store == number)),
                # Only a store of its own may see an address that is beyond the others' ends.
                address.eq(Mux(read, beat.address, 0) if several else beat.address),
            ]
            store: Any
            if entry.skewed:
                store = SkewedStore(
                    self._parameters, number, words, faulty=self._faults is not None
                )
                m.d.comb += [
                    store.read.eq(read),
                    store.tile.eq(address),
                    store.lane.eq(beat.lane),
                    store.by_column.eq(beat.by_column),
                ]
            else:
                store = RowStore(self._parameters, number, words, faulty=self._faults is not None)
                m.d.comb += [store.read.eq(read), store.address.eq(address)]
            m.submodules[f"store{number}"] = store
            self._stores.append(store)
            if learning is not None:
                learning.connect_store(m, number, store)
            if self._faults is not None:
                self._connect_stuck_bits(number, store)

    def connect_loads(self, strobes: Value, address: Value, word: Value) -> None:
        """Writes a word that was loaded."""
        for number, store in enumerate(self._stores):
            self._m.d.comb += [
                store.load.eq(strobes[number]),
                store.load_address.eq(address),
                store.load_data.eq(word),
            ]

    def _connect_stuck_bits(self, number: int, store: Any) -> None:
        """Writes masks of stuck bits."""
        self._m.d.comb += [
            store.stuck.eq(self._faults.stuck_stores[number]),
            store.stuck_address.eq(self._faults.stuck_address),
            store.stuck_at_zero.eq(self._faults.stuck_at_zero),
            store.stuck_at_one.eq(self._faults.stuck_at_one),
        ]

    def connect_weights(self, weights: Any, theta: Value | None = None) -> None:
        """What the chosen store's fields mean, for each lane. theta: of a core that learns."""
        if theta is None:
            self.connect_fields(weights)
            return
        m, parameters = self._m, self._parameters
        fields = Signal(data.ArrayLayout(max(s.width for s in parameters.stores), parameters.lanes))
        self.connect_fields(fields)
        kinds = dict.fromkeys((s.weight_format, s.latent_bits) for s in parameters.stores)
        for kind in kinds:  # stores of one kind share the circuit
            numbers = [
                n
                for n, s in enumerate(parameters.stores)
                if (s.weight_format, s.latent_bits) == kind
            ]
            entry = parameters.stores[numbers[0]]
            with m.If(is_one_of(self.chosen, tuple(numbers)) if len(kinds) > 1 else 1):
                for lane in range(parameters.lanes):
                    weight = weight_of(fields[lane][: entry.width], entry, theta)
                    m.d.comb += weights[lane].eq(weight.as_signed())

    def connect_fields(self, fields: Any) -> None:
        """The chosen store's fields as they are; those of others are 0."""
        for lane in range(self._parameters.lanes):
            found = Signal.like(Value.cast(fields[lane]), name=f"field{lane}")
            pieces = [Signal.like(found, name=f"piece{k}") for k in range(len(self._stores))]
            for piece, store in zip(pieces, self._stores, strict=True):
                self._m.d.comb += piece.eq(store.weights[lane].as_signed())
            self._m.d.comb += [found.eq(reduce(or_, pieces)), fields[lane].eq(found)]

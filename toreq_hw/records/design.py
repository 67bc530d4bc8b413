"""A design on a board: what it takes, how fast it is, and the bitstream that came of it."""

from dataclasses import dataclass

from msgspec import UNSET, UnsetType


@dataclass(frozen=True)
class Pll:
    """A solved loop. parameters: of the primitive, by the vendor's names. output_hz: exact."""

    primitive: str
    reference_hz: int
    output_hz: float
    parameters: dict[str, int | str]


@dataclass(frozen=True)
class Capacity:
    """What a device holds, in the vendor's own units.

    lut4: look-up tables of four inputs. ff: flip-flops. block_ram, spram: blocks of
    `block_ram_bits`, `spram_bits` each. dsp: multipliers of 16 x 16 or 18 x 18. source: where the
    figures stand.
    """

    lut4: int
    ff: int
    block_ram: int
    block_ram_bits: int
    spram: int
    spram_bits: int
    dsp: int
    source: str


@dataclass(frozen=True)
class Resources:
    """Sites taken after packing.

    lut4: sites that hold a four-input look-up table, whether for logic, a carry, distributed
    memory or (iCE40) a lone flip-flop. ff: flip-flops. block_ram, spram: blocks. dsp:
    multipliers of 16 x 16 or 18 x 18; two of 9 x 9 count as one.
    """

    lut4: int
    ff: int
    block_ram: int
    spram: int
    dsp: int


@dataclass(frozen=True)
class Placement:
    """One run of place and route.

    fmax_mhz, constraint_mhz: of the core's clock. used, available: cells by type.
    critical_path: from where to where, and its length in ns.
    """

    seed: int
    fmax_mhz: float
    constraint_mhz: float
    used: dict[str, int]
    available: dict[str, int]
    critical_path: tuple[str, str, float]

    @property
    def met(self) -> bool:
        """Whether the clock is fast enough."""
        return self.fmax_mhz >= self.constraint_mhz


@dataclass(frozen=True)
class Bitstream:
    """A file that a programmer takes. sha256: of its bytes."""

    file: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class SynthesisRecord:
    """What came of a request. fmax over all seeds; resources and bitstream of the fastest.

    design: a hash of the netlist's origin (`boards.flow.synthesis.Prepared`). met: the bitstream's
    clock is as fast as constrained. cells: as Yosys counts them.
    seconds: by stage, each as it took when it ran. learn_lanes, latent_bits (by coupling): of a
    core that learns. accumulator_register: of a core that has it.
    """

    board: str
    title: str
    design: str
    network_sha256: str
    sizes: tuple[int, ...]
    lanes: int
    threshold: int | None
    accumulator_bits: int
    pll: Pll
    baud: int
    resources: Resources
    capacity: Capacity
    placements: tuple[Placement, ...]
    fmax_median_mhz: float
    fmax_min_mhz: float
    fmax_max_mhz: float
    constraint_mhz: float
    met: bool
    cells: dict[str, int]
    bitstream: Bitstream
    seconds: dict[str, float]
    versions: dict[str, str]
    learn_lanes: int | UnsetType = UNSET
    latent_bits: dict[str, int] | UnsetType = UNSET
    accumulator_register: bool | UnsetType = UNSET

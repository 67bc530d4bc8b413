"""The mapper: counts by hand, limits, placement, estimates, bad chip files, speed.

Speeds are in CPU time of the one thread that maps, so that a busy machine fails no test.
"""

import time
from pathlib import Path

import numpy as np
import pytest

from toreq_hw import network
from toreq_hw.errors import InputError
from toreq_hw.lava_backend.mapper import (
    CHIPS,
    Activity,
    Mapping,
    estimate,
    load_chip,
    map_network,
)
from toreq_hw.lava_backend.mapper import chip as chip_module
from toreq_hw.network import DenseCoupling, Network, WeightFormat
from toreq_hw.reports.core_map import core_map


def filled(
    sizes: tuple[int, ...], kind: WeightFormat = WeightFormat.INT8, density: float = 1.0
) -> Network:
    """A layered network with every weight 1, or that share of them, at 4-bit states."""
    rng = np.random.default_rng(0)
    blank = network.layered(sizes, kind, [5] * (len(sizes) - 1), state_bits=4, input_bits=4)
    couplings = [
        DenseCoupling(
            c.pre, c.post, (rng.random(c.parameters.shape) < density).astype(np.int8), 5, kind
        )
        for c in blank.couplings
    ]
    return Network(blank.populations, tuple(couplings), {})


@pytest.fixture
def chip_text() -> str:
    return (Path(chip_module.__file__).parent.parent / "chips/loihi2.toml").read_text()


def variant(tmp_path: Path, text: str, name: str, old: str, new: str) -> Path:
    assert old in text
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new))
    return path


def check_whole(mapping: Mapping, mapped: Network) -> None:
    """Every relaxing neuron is on exactly one core; no two cores share a place."""
    for population in mapped.relaxing:
        spans = sorted((c.first, c.last) for c in mapping.cores if c.population == population.name)
        assert [first for first, _ in spans] == [0, *(last for _, last in spans[:-1])]
        assert spans[-1][1] == population.size
    places = {(c.chip, c.column, c.row) for c in mapping.cores}
    assert len(places) == mapping.cores_used
    assert max(chip for chip, _, _ in places) < mapping.chips_used


def test_a_small_network_counted_by_hand() -> None:
    """3-4-2, all weights 1, INT8, loihi2: a list of 4 synapses is 4 * 8 + 10 bits, one word."""
    mapping = map_network(filled((3, 4, 2)), load_chip("loihi2"))
    hidden, output = mapping.cores
    assert hidden.used == {"neurons": 4, "synapse_bits": 5 * 64, "axons_in": 5, "axons_out": 4}
    assert output.used == {"neurons": 2, "synapse_bits": 4 * 64, "axons_in": 4, "axons_out": 2}
    assert mapping.violations == ()
    assert mapping.hops == 1.0


def test_long_lists_take_blocks_and_sparse_ones_an_index() -> None:
    """100 dense INT8 synapses: blocks of 64 and 36, (512 + 10) and (288 + 10) bits, in words."""
    dense = map_network(filled((1, 100, 1)), load_chip("loihi2")).cores[0]
    assert dense.used["synapse_bits"] == 2 * (9 * 64 + 5 * 64)
    source = filled((1, 100, 1))
    weight = np.zeros((1, 100), dtype=np.int8)
    weight[0, :3] = 1  # three synapses with 13 bits of index: 3 * 21 + 10 bits, two words
    first = DenseCoupling("input", "hidden", weight, 5, WeightFormat.INT8)
    sparse = Network(source.populations, (first, source.couplings[1]), {})
    core = map_network(sparse, load_chip("loihi2")).cores[0]
    assert core.used["synapse_bits"] == 2 * 64 + 9 * 64 + 5 * 64
    assert core.used["axons_in"] == 2


@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("kind", WeightFormat)
def test_784_512_10_maps_within_a_second(name: str, kind: WeightFormat) -> None:
    mapped, chip = filled((784, 512, 10), kind), load_chip(name)
    begin = time.process_time()
    mapping = map_network(mapped, chip)
    assert time.process_time() - begin < 1
    check_whole(mapping, mapped)
    assert all(core.percent["synapse_bits"] <= 100 for core in mapping.cores)
    graded = [violation.limit for violation in mapping.violations]
    assert graded == (["message_bits"] * 3 if name == "loihi1" else [])


def test_two_million_synapses_map_within_ten_seconds() -> None:
    mapped = filled((784, 1100, 1000, 10))
    assert mapped.synapses > 1_900_000
    begin = time.process_time()
    mapping = map_network(mapped, load_chip("loihi2"))
    assert time.process_time() - begin < 10
    check_whole(mapping, mapped)
    assert mapping.violations == ()


def test_several_hundred_cores_on_several_chips() -> None:
    mapped = filled((784, *[2000] * 6, 10))
    mapping = map_network(mapped, load_chip("loihi2"))
    assert mapping.cores_used > 300
    assert mapping.violations == ()
    assert mapping.chips_used >= 2
    check_whole(mapping, mapped)
    assert mapping.hops < mapping.hops_in_order
    picture = core_map(mapping.record(), ())
    assert picture.count("<svg") == 1
    assert "chip 1" in picture or "axes_2" in picture


def test_placement_follows_the_traffic(tmp_path: Path, chip_text: str) -> None:
    """Four cores of `hidden`; only the neurons of the last ones talk to the output."""
    old = "neurons_per_core = { value = 8192"
    path = variant(tmp_path, chip_text, "small", old, "neurons_per_core = { value = 10")
    mapped = filled((5, 40, 10))
    events = np.zeros(50)
    events[30:40] = 100.0
    mapping = map_network(mapped, load_chip(str(path)), events)
    by_name = {(c.population, c.first): (c.column, c.row) for c in mapping.cores}
    busy, output = by_name["hidden", 30], by_name["output", 0]
    assert abs(busy[0] - output[0]) + abs(busy[1] - output[1]) == 1
    assert mapping.hops == 1.0


def test_placement_swaps_cores_on_a_full_grid(tmp_path: Path, chip_text: str) -> None:
    """Five cores in a row of five: the busy first one must change places with another."""
    old = "neurons_per_core = { value = 8192"
    path = variant(tmp_path, chip_text, "small", old, "neurons_per_core = { value = 10")
    text = path.read_text()
    text = text.replace("grid_columns = { value = 16", "grid_columns = { value = 5")
    path.write_text(text.replace("grid_rows = { value = 8", "grid_rows = { value = 1"))
    events = np.zeros(50)
    events[:10] = 100.0
    mapping = map_network(filled((5, 40, 10)), load_chip(str(path)), events)
    assert mapping.chips_used == 1
    assert (mapping.hops_in_order, mapping.hops) == (4.0, 1.0)


def test_a_source_without_synapses_on_a_core_takes_no_axon(tmp_path: Path, chip_text: str) -> None:
    """Input 0 leads to the first ten neurons only, input 1 to the last ten only."""
    old = "neurons_per_core = { value = 8192"
    path = variant(tmp_path, chip_text, "small", old, "neurons_per_core = { value = 10")
    source = filled((2, 20, 1))
    weight = np.zeros((2, 20), dtype=np.int8)
    weight[0, :10] = weight[1, 10:] = 1
    first = DenseCoupling("input", "hidden", weight, 5, WeightFormat.INT8)
    network_of_two = Network(source.populations, (first, source.couplings[1]), {})
    mapping = map_network(network_of_two, load_chip(str(path)))
    assert [core.used["axons_in"] for core in mapping.cores] == [2, 2, 20]


@pytest.mark.parametrize(
    ("old", "new", "limit"),
    [
        ("synapse_bits_per_core = { value = 1048576", "synapse_bits_per_core = { value = 64", 1),
        ("axons_in_per_core = { value = 4096", "axons_in_per_core = { value = 20", 1),
        ("axons_out_per_core = { value = 4096", "axons_out_per_core = { value = 1", 1),
        ("accumulator_bits = { value = 24", "accumulator_bits = { value = 6", 2),
        ("message_bits = { value = 24", "message_bits = { value = 4", 3),
    ],
)
def test_each_broken_limit_is_named_with_a_fix(
    tmp_path: Path, chip_text: str, old: str, new: str, limit: int
) -> None:
    path = variant(tmp_path, chip_text, "tight", old, new)
    mapping = map_network(filled((30, 20, 10)), load_chip(str(path)))
    name = old.partition(" ")[0].removesuffix("_per_core")
    named = [violation for violation in mapping.violations if violation.limit == name]
    assert len(named) >= limit
    for violation in named:
        assert violation.needed > violation.allowed
        assert str(violation).startswith(f"population {violation.population!r}: {name} must be")
        assert violation.fix


def test_splitting_mends_what_it_can(tmp_path: Path, chip_text: str) -> None:
    old = "synapse_bits_per_core = { value = 1048576"
    path = variant(tmp_path, chip_text, "memory", old, "synapse_bits_per_core = { value = 20000")
    mapped = filled((100, 200, 10))
    mapping = map_network(mapped, load_chip(str(path)))
    check_whole(mapping, mapped)
    assert mapping.violations == ()
    assert mapping.cores_used > 8
    old = "axons_out_per_core = { value = 4096"
    path = variant(tmp_path, chip_text, "axons", old, "axons_out_per_core = { value = 60")
    mapping = map_network(mapped, load_chip(str(path)))
    check_whole(mapping, mapped)
    assert max(c.used["axons_out"] for c in mapping.cores) <= 60


def test_estimates_are_labelled_sums_with_a_range() -> None:
    mapped = filled((3, 4, 2))
    chip = load_chip("loihi1")
    result = estimate(mapped, map_network(mapped, chip), Activity(1000.0, 9.0, 50.0))
    energy = result.energy_per_sample_uj
    by_hand = 1000 * 23.6 + 6 * 10 * 81.0 + 50 * 40.8 + 50 * 1.0 * 3.5
    assert energy.value == pytest.approx(by_hand * 1e-6)
    assert energy.low < energy.value < energy.high
    duration = result.time_per_sample_us
    assert duration.value == pytest.approx((10 * 465 + 10 * 4 * 8.4 + 1000 / 2 * 3.5) * 1e-3)
    assert "not measured on silicon" in result.label
    assert all(result.sources.values())


@pytest.mark.parametrize("name", CHIPS)
def test_every_figure_of_a_chip_has_a_source(name: str) -> None:
    chip = load_chip(name)
    assert set(chip.sources) == set(chip.counts) | set(chip.figures)
    for table in chip_module._TABLES.values():
        assert all(len(chip.sources[key]) > 8 for key in table)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "neurons_per_core = {",
            "neurons = {",
            "limits.neurons must be named one of .*neurons_per_core.*, found 'neurons'",
        ),
        ("axons_per_list = {", "axons_per_lists = {", "must be named .*, found 'axons_per_lists'"),
        ("word_bits = {", "wordbits = {", "must be named .*word_bits.*, found 'wordbits'"),
        ("[energy]", "[enrgy]", "must be named .*energy.*, found 'enrgy'"),
        ("low = 2.36,", "lowest = 2.36,", "must be named .*low.*, found 'lowest'"),
        (
            "index_bits = { value = 13",
            "index_bits = { value = 12",
            "index_bits must be at le",
        ),
        ("{ value = 8192,", "{ value = 0,", r"limits.neurons_per_core.value must be a whole"),
        ("{ value = 8192,", "{ value = 1.5,", r"whole number in 1..1099511627776, found 1.5"),
        ("low = 2.36,", "low = 99.0,", "energy.synop_pj must have 0 < low <= value <= high"),
        ("low = 2.36,", "low = 0,", "energy.synop_pj must have 0 < low"),
        ("low = 2.36,", "low = nan,", "energy.synop_pj.low must be a finite number, found nan"),
        ("low = 2.36,", "low = 1e300,", r"energy.synop_pj.low must be in 0..1e\+12, found 1e\+300"),
        (
            "low = 2.36,",
            f"low = {10**400},",
            "low must be a finite number, found an integer",
        ),
        (
            'source = "log2 of 8192 neurons"',
            'source = " "',
            "index_bits.source must say where",
        ),
        ('name = "loihi2"', "name = 2", "field name must be text, found 2"),
    ],
)
def test_a_bad_chip_file_is_one_line(
    tmp_path: Path, chip_text: str, old: str, new: str, message: str
) -> None:
    path = variant(tmp_path, chip_text, "bad", old, new)
    with pytest.raises(InputError, match=f"^chip file bad.toml: .*{message}") as raised:
        load_chip(str(path))
    assert "\n" not in str(raised.value)


def test_a_chip_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="chip must be loihi1, loihi2 or a readable TOML file"):
        load_chip("loihi3")
    broken = tmp_path / "broken.toml"
    broken.write_text("name = ")
    with pytest.raises(InputError, match="chip must be"):
        load_chip(str(broken))
    for content, message in (
        (b"\xff\xfe", "must be UTF-8 text"),
        (b"a = " + b"[" * 5000, "must nest at most 32 deep"),
        (b"a = " + b"{b = " * 5000, "must nest at most 32 deep"),
        (b"#" * (1 << 17), "file must be at most 65536 bytes"),
    ):
        broken.write_bytes(content)
        with pytest.raises(InputError, match=f"^chip must be .*{message}[^\n]*$"):
            load_chip(str(broken))


def test_a_chip_file_may_begin_with_a_byte_order_mark(tmp_path: Path, chip_text: str) -> None:
    path = tmp_path / "chip.toml"
    path.write_bytes(b"\xef\xbb\xbf" + chip_text.encode())
    assert load_chip(str(path)).figures == load_chip("loihi2").figures


def test_a_network_of_too_many_cores_is_refused(tmp_path: Path, chip_text: str) -> None:
    old = "neurons_per_core = { value = 8192"
    path = variant(tmp_path, chip_text, "one", old, "neurons_per_core = { value = 1")
    with pytest.raises(InputError, match="must map to at most 16384 cores"):
        map_network(filled((1, 20000, 1)), load_chip(str(path)))

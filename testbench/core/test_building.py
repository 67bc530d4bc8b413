"""Networks of every kind, from Python and from TOML: the same network, and lines in refusals."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from toreq_hw import network, sim
from toreq_hw.errors import NetworkError, NetworkFileError
from toreq_hw.network import (
    BudgetRows,
    ClampedReadout,
    Colouring,
    FeedbackKind,
    Loop,
    Network,
    Normalisation,
    Schedule,
    Skip,
    WeightFormat,
    build,
)
from toreq_hw.network.description.words import FORMS
from toreq_hw.reading.toml_lines import line_of

TERNARY, INT8 = WeightFormat.TERNARY, WeightFormat.INT8
SYMMETRIC, LEARNED, FIXED = FeedbackKind.SYMMETRIC, FeedbackKind.LEARNED, FeedbackKind.FIXED

KINDS: dict[str, tuple[str, Callable[[], Network]]] = {
    "dense": ('input = "6"\nlayers = ["dense 5", "dense 3"]', lambda: build("6", _layers(5, 3))),
    "skip of the input": (
        'input = "6"\nlayers = ["dense 5", "dense 3"]\n'
        "skips = [{from = 0, to = 2, fraction_bits = 5}]",
        lambda: build("6", _layers(5, 3), skips=[Skip(0, 2, 5)]),
    ),
    "skip between hidden layers": (
        'input = "6"\nlayers = ["dense 5", "dense 4", "dense 4", "dense 3"]\n'
        "[[skips]]\nfrom = 1\nto = 3\nfraction_bits = 5\nkind = 'random density 0.5'\n"
        "weights = 'ternary'\n",
        lambda: build(
            "6", _layers(5, 4, 4, 3), skips=[Skip(1, 3, 5, "random density 0.5", TERNARY)]
        ),
    ),
    "skip of blocks with feedback": (
        'input = "6"\nlayers = ["dense 4", "dense 4", "dense 4", "dense 3"]\n'
        "skips = [{from = 1, to = 3, fraction_bits = 5, kind = 'block blocks 2', "
        "feedback = 'fixed', feedback_shift = 1}]",
        lambda: build(
            "6",
            _layers(4, 4, 4, 3),
            skips=[Skip(1, 3, 5, "block blocks 2", None, FIXED, 1)],
        ),
    ),
    "skip of a convolution": (
        'input = "6x6x1"\nlayers = ["conv 2 3x3 pad 1", "conv 3 3x3 pad 1", "dense 3"]\n'
        "skips = [{from = 0, to = 2, fraction_bits = 5, kind = 'conv 1x1'}]",
        lambda: build(
            "6x6x1",
            ["conv 2 3x3 pad 1", "conv 3 3x3 pad 1", "dense 3"],
            skips=[Skip(0, 2, 5, "conv 1x1")],
        ),
    ),
    "dense loop": (
        'input = "6"\nlayers = ["dense 5", "dense 3"]\nloops = [{layer = 1, fraction_bits = 6}]',
        lambda: build("6", _layers(5, 3), loops=[Loop(1, 6)]),
    ),
    "ring loop": (
        'input = "6"\nlayers = ["dense 5", "dense 3"]\n'
        "loops = [{layer = 1, fraction_bits = 6, kind = 'ring reach 2', weights = 'ternary'}]",
        lambda: build("6", _layers(5, 3), loops=[Loop(1, 6, "ring reach 2", TERNARY)]),
    ),
    "random loop": (
        'input = "6"\nlayers = ["dense 5", "dense 3"]\nseed = 4\n'
        "loops = [{layer = 1, fraction_bits = 6, kind = 'random density 0.5'}]",
        lambda: build("6", _layers(5, 3), loops=[Loop(1, 6, "random density 0.5")], seed=4),
    ),
    "lattice loop of a convolution's maps": (
        'input = "4x4x1"\nlayers = ["conv 2 3x3", "dense 3"]\n'
        "loops = [{layer = 1, fraction_bits = 6, kind = 'lattice'}]",
        lambda: build("4x4x1", ["conv 2 3x3", "dense 3"], loops=[Loop(1, 6, "lattice")]),
    ),
    "budget rows": (
        'input = "6"\nlayers = ["rows 8 length 4 budget 100 normalisation softmax", "dense 3"]',
        lambda: build("6", ["rows 8 length 4 budget 100 normalisation softmax", "dense 3"]),
    ),
    "settings of each layer": (
        'input = "6"\nlayers = ["dense 5", "dense 4", "dense 3"]\n'
        'weights = ["ternary", "int8", "int8"]\nfeedback = ["symmetric", "learned", "fixed"]\n'
        "state_bits = [8, 4, 8]\nsigned = [true, false, true]",
        lambda: build(
            "6",
            _layers(5, 4, 3),
            weight_format=[TERNARY, INT8, INT8],
            feedback=[SYMMETRIC, LEARNED, FIXED],
            state_bits=[8, 4, 8],
            signed=[True, False, True],
        ),
    ),
    "attention": (
        'input = "4x3"\nlayers = ["attention 2", "dense 3"]',
        lambda: build("4x3", ["attention 2", "dense 3"]),
    ),
    "lattice, ring, random, block": (
        'input = "8"\nlayers = ["lattice 2x3", "ring 5", "random 6 density 0.5", '
        '"block 4 blocks 2", "dense 3"]',
        lambda: build(
            "8",
            ["lattice 2x3", "ring 5", "random 6 density 0.5", "block 4 blocks 2", "dense 3"],
        ),
    ),
    "pooling under a clamped readout": (
        'input = "8x8x1"\nlayers = ["conv 2 3x3", "average 2", "conv 2 2x2", "sum 2", "dense 3"]\n'
        'readout = {kind = "clamped", temperature = [1, 8], normalisation = "softmax"}',
        lambda: build(
            "8x8x1",
            ["conv 2 3x3", "average 2", "conv 2 2x2", "sum 2", "dense 3"],
            readout=ClampedReadout(),
        ),
    ),
}


def _layers(*sizes: int) -> list[str]:
    return [f"dense {size}" for size in sizes]


def described(text: str, folder: Path) -> Network:
    path = folder / "net.toml"
    path.write_text(text, encoding="utf-8")
    return network.load_description(path)


@pytest.mark.parametrize("kind", KINDS)
def test_toml_and_python_give_the_same_network(kind: str, tmp_path: Path) -> None:
    text, made = KINDS[kind]
    built = made()
    assert described(text, tmp_path).sha256 == built.sha256
    network.save(built, tmp_path / "net.safetensors")
    assert network.load(tmp_path / "net.safetensors").sha256 == built.sha256


@pytest.mark.parametrize("kind", KINDS)
def test_a_built_network_relaxes_in_two_engines_alike(kind: str) -> None:
    blank = KINDS[kind][1]()
    rng = np.random.default_rng(1)
    couplings = []
    for coupling in blank.couplings:
        limit = 1 if coupling.weight_format is TERNARY else 20
        drawn = rng.integers(-limit, limit + 1, coupling.parameters.shape).astype(np.int8)
        couplings.append(coupling.with_parameters(coupling.mirrored(drawn)))
    net = Network(
        blank.populations,
        tuple(couplings),
        {},
        blank.schedule,
        readout=blank.readout,
        terms=blank.terms,
    )
    inputs = rng.integers(0, 256, (3, net.input.size)).astype(np.int16)
    expected = sim.relax(net, inputs, engine="dense", trace=True)
    found = sim.relax(net, inputs, engine="event", trace=True)
    assert sim.first_difference(expected, found) is None


def test_every_word_of_a_layer_is_built_above() -> None:
    texts = " ".join(text for text, _ in KINDS.values())
    assert [kind for kind in FORMS if f'"{kind} ' not in texts] == []


def test_what_was_asked_for_is_there() -> None:
    loop = build("6", _layers(5, 3), loops=[Loop(1, 6)])
    assert loop.schedule is Schedule.SEQUENTIAL
    assert loop.couplings[-1].name == "hidden-hidden"
    ring = build("6", _layers(5, 3), loops=[Loop(1, 6, "ring reach 2")])
    assert isinstance(ring.schedule, Colouring)
    assert ring.sweep.always_settles
    skip = build("6", _layers(5, 4, 4, 3), skips=[Skip(1, 3, 5, "dense", TERNARY)])
    assert isinstance(skip.schedule, Colouring)
    assert skip.couplings[-1].weight_format is TERNARY
    each = build("6", _layers(5, 4, 3), feedback=[SYMMETRIC, LEARNED, FIXED])
    assert [c.own_feedback and c.own_feedback.kind for c in each.couplings] == [
        None,
        LEARNED,
        FIXED,
    ]
    rows = build("6", ["rows 8 length 4 budget 9 at-most yes temperature 1/2", "dense 3"])
    expected = BudgetRows(4, 9, Normalisation.SPARSEMAX, (1, 2), at_most=True)
    assert rows.population("hidden").rows == expected


REFUSED = {
    'input = "6"\nlayers = [\n  "dense 5",  # first\n  "dence 4",\n  "dense 3",\n]': (4, "dence"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\nweights = "int9"': (3, "weights must be one of"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\n\nstate_bits = [8]': (
        4,
        "2 values, one a layer",
    ),
    'input = "6y"\nlayers = ["dense 5"]': (1, "input must be"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\nskips = [\n  {from = 0, to = 2, fraction_bits '
    "= 5},\n  {from = 0, to = 1, fraction_bits = 5},\n]": (5, "a skip must pass"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\n[[skips]]\nfrom = 0\nto = 2\nfraction_bits = 5\n'
    "[[skips]]\nfrom = 0\nto = 2\nfraction_bits = 5\nkind = 'ring'": (7, "kind of a skip must be"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\nloops = [{layer = 3, fraction_bits = 5}]': (
        3,
        "a loop must be of a layer of 1..2, found 3",
    ),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\nloops = [{layer = 1, fraction_bits = 5, '
    "kind = 'lattice'}]": (3, "must be of a layer with a shape"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\nloops = [{layer = 1}]': (3, "fraction_bits"),
    'input = "6"\nlayers = ["dense 5", "dense 3"]\nfeedback = ["learned", "own"]': (3, "feedback"),
    'input = "6"\nlayers = ["rows 8 length 3", "dense 3"]': (2, "multiple of the length"),
    'input = "8x8x1"\nlayers = ["conv 2 3x3", "dense 5", "dense 3"]\nskips = [{from = 0, to = 2, '
    "fraction_bits = 5, kind = 'conv 1x1'}]": (3, "must join layers of positions"),
    'input = "6"\nlayers = ["dense 5"\nweights = "int8"': (None, "must be TOML"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_refusal_names_the_line(text: str, tmp_path: Path) -> None:
    line, said = REFUSED[text]
    with pytest.raises(NetworkFileError) as found:
        described(text, tmp_path)
    shown = str(found.value)
    assert said in shown
    where = tmp_path / "net.toml"
    assert shown.startswith(f"{where}: line {line}: " if line else f"{where}: ")
    assert line or "line 3" in shown  # of what is no TOML the parser names the line


def test_python_says_what_an_error_is_about() -> None:
    with pytest.raises(NetworkError) as found:
        build("6", ["dense 5", "dense x"])
    assert found.value.where == "layers[1]"
    with pytest.raises(NetworkError) as found:
        build("6", _layers(5, 3), loops=[Loop(1, 6), Loop(1, 6, "block blocks 2")])
    assert found.value.where == "loops[1]"


def test_lines_are_found_behind_comments_strings_and_tables() -> None:
    text = (
        '# layers = ["a"]\na = "layers = [1]"\nlayers = [ # one\n "x, ]", # "y"\n [1, 2],\n "z"]\n'
    )
    assert [line_of(text, f"layers[{k}]") for k in range(3)] == [4, 5, 6]
    assert line_of(text, "layers") == 3
    assert line_of(text, "nowhere") is None
    assert line_of("[readout]\nkind = 1\n", "readout") == 1
    assert line_of("a = 1\nreadout.kind = 1\n", "readout") == 2


def test_the_page_shows_skips_and_loops(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/networks.md").read_text(encoding="utf-8")
    (text,) = [part.split("```")[0] for part in page.split("```toml\n") if "loops = [" in part]
    net = described(text, tmp_path)
    assert [c.name for c in net.couplings[4:]] == [
        "input-hidden2",
        "hidden2-output",
        "hidden3-hidden3",
    ]
    with pytest.raises(NetworkFileError) as found:
        described(text.replace("from = 2, to = 4", "from = 2, to = 3"), tmp_path)
    assert f"```\n{str(found.value).removeprefix(f'{tmp_path}/')}\n```" in page

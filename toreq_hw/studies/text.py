"""The next character of Shakespeare's plays, by counts and by networks that learn in integers."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from toreq_hw import data, sim
from toreq_hw.code_digest import digest_of_imports
from toreq_hw.data.text import Symbols, Text, load_text
from toreq_hw.network import ClampedReadout, Network, WeightFormat, build
from toreq_hw.records.intervals import interval
from toreq_hw.records.text import NGram, TextCase, TextRecord, TextRun
from toreq_hw.reports.text import TRIGRAM, beats, lead, text_page
from toreq_hw.sim.baselines.n_grams import bits_per_character
from toreq_hw.sim.learning import Rule, Trainer
from toreq_hw.sim.learning.generator import sample_order
from toreq_hw.sim.learning.recipes import DECAY, decay_epochs
from toreq_hw.studies.ledger import Ledger, Run
from toreq_hw.studies.screen import NO_SCREEN, Screen
from toreq_hw.studies.study import Place, Study, Verdict
from toreq_hw.studies.work import workers
from toreq_hw.versions import versions

PART = 50_000
"""Characters whose images are in memory at once."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network. context: characters that it sees. layers: of hidden neurons. parts: of `PART`
    characters that are learned, in the order of an epoch over the training text, and again from
    its start. shift, output_shift, bias_shift: k.
    """

    name: str
    context: int
    hidden: tuple[int, ...]
    parts: int
    shift: int = 6
    output_shift: int = 8
    bias_shift: int = 8
    temperature: tuple[int, int] = (1, 4)
    fraction_bits: int = 7
    initial_reach: int = 6000

    def network(self, symbols: int) -> Network:
        """The blank network for an alphabet of so many characters."""
        layers = [*(f"dense {size}" for size in self.hidden), f"dense {symbols}"]
        return build(
            str(self.context * symbols),
            layers,
            weight_format=WeightFormat.INT8,
            fraction_bits=[self.fraction_bits] * len(layers),
            readout=ClampedReadout(self.temperature),
        )

    def rule(self, network: Network) -> Rule:
        """The rule of its training; an epoch of the rule is one part."""
        return Rule(
            shift=self.shift,
            bias_shift=self.bias_shift,
            initial_reach=self.initial_reach,
            shifts={network.couplings[-1].name: self.output_shift},
            decay_epochs=decay_epochs(DECAY, self.parts),
        )

    @property
    def settings(self) -> str:
        """What a table says of it."""
        top, bottom = self.temperature
        return (
            f"context {self.context}; INT8; clamped, T {top}/{bottom}; k {self.shift}, last "
            f"{self.output_shift}, biases {self.bias_shift}"
        )


CASES = (Case(name="dense 256, eight characters", context=8, hidden=(256,), parts=8),)


@dataclass(frozen=True)
class Options:
    """orders: of the counts, 1 .. orders, at least 3. seeds: trainings of each case, from 1 on.
    load: gives the text.
    """

    cases: tuple[Case, ...] = CASES
    orders: int = 5
    seeds: int = 3
    load: Callable[[], Text] = load_text


def run(options: Options | None, place: Place) -> TextRecord:
    """Counts, and trains what the ledger does not hold."""
    options = options or Options()
    text = options.load()
    orders, size = max(TRIGRAM, options.orders), len(text.alphabet)
    sides = [
        bits_per_character(text.train, part, size, orders) for part in (text.validation, text.test)
    ]
    with workers(place.jobs, place.scheduler):
        found = tuple(_case(case, text, options.seeds, place) for case in options.cases)
    ngrams = tuple(NGram(n, *both) for n, both in enumerate(zip(*sides, strict=True), start=1))
    return TextRecord(text.name, text.split, ngrams, found, versions())


def _case(case: Case, text: Text, seeds: int, place: Place) -> TextCase:
    blank = case.network(len(text.alphabet))
    runs: list[Run] = [{"seed": seed} for seed in range(1, seeds + 1)]
    shared = {
        "case": case.name,
        "network": blank.sha256,
        "rule": case.rule(blank).describe(),
        "settings": case.settings,
        "characters": case.parts * PART,
        "data": text.sha256,
        "code": digest_of_imports(__name__),
        "numpy": versions()["numpy"],
    }
    ledger = Ledger(place.work, "text", shared, TextRun)
    shown = place.screen if place.jobs == 1 and place.scheduler is None else NO_SCREEN
    with ledger.lock(place.screen.say):
        place.screen.say(f"{case.name}: {len(runs)} trainings, {len(ledger)} of them kept")
        rows = ledger.complete(runs, partial(_train, case, text, shown))
    return TextCase(
        name=case.name,
        layers="-".join(str(p.size) for p in blank.populations),
        settings=case.settings,
        synapses=blank.synapses,
        test=interval([row.test for row in rows]),
        runs=tuple(rows),
    )


def _train(case: Case, text: Text, screen: Screen, run: Run) -> TextRun:
    """One training, wherever it is done."""
    seed = int(run["seed"] or 0)
    blank = case.network(len(text.alphabet))
    trainer = Trainer(blank, case.rule(blank), seed)
    order = _order(len(text.train) - case.context, seed, case.parts * PART)
    seconds = 0.0
    with screen.bar("learning", len(order)) as bar:
        for first in range(0, len(order), PART):
            trainer.epoch = first // PART
            places = case.context + order[first : first + PART]
            inputs = _inputs(text, text.train, places, case.context, blank)
            begin = time.perf_counter()
            trainer.learn(inputs, text.train[places], np.arange(len(places)))
            seconds += time.perf_counter() - begin
            bar.advance(len(places))
    trained = trainer.network()
    validation = measured(trained, text, text.validation, case.context)
    test = measured(trained, text, text.test, case.context)
    return TextRun(
        case=case.name,
        seed=seed,
        characters=len(order),
        validation=validation.bits,
        test=test.bits,
        accuracy=test.accuracy,
        sweeps_mean=test.sweeps_mean,
        unsettled=test.unsettled,
        seconds=seconds,
        network_sha256=trained.sha256,
    )


def _order(places: int, seed: int, count: int) -> npt.NDArray[np.int64]:
    """The first `count` places of epoch after epoch, each in its own order, int64 (count,)."""
    epochs = -(-count // places)
    orders = [sample_order(places, seed, epoch) for epoch in range(epochs)]
    return np.concatenate(orders)[:count]


@dataclass(frozen=True)
class Measured:
    """bits: mean a character. accuracy: fraction whose largest sum is the right one."""

    bits: float
    accuracy: float
    sweeps_mean: float
    unsettled: int


def measured(network: Network, text: Text, part: Symbols, context: int) -> Measured:
    """Every character of a part that has `context` characters before it, one query each."""
    places = np.arange(context, len(part))
    bits = right = sweeps = 0.0
    unsettled = 0
    for first in range(0, len(places), PART):
        chosen = places[first : first + PART]
        result = sim.relax(network, _inputs(text, part, chosen, context, network))
        wanted = part[chosen]
        shares = _shares(network, result.readout)
        bits -= float(np.log2(shares[np.arange(len(chosen)), wanted]).sum())
        right += float(np.count_nonzero(result.classes == wanted))
        sweeps += float(result.sweeps.sum())
        unsettled += result.unsettled
    count = len(places)
    return Measured(bits / count, right / count, sweeps / count, unsettled)


def _shares(network: Network, sums: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    """softmax(z / (T S 2^F)) of a clamped output's accumulators, (batch, classes)."""
    assert network.readout is not None
    top, bottom = network.readout.temperature
    output = network.output.name
    largest = network.into(output)[0].source.state_max
    unit = (largest << network.accumulator_fraction_bits(output)) * top / bottom
    exponents = (sums - sums.max(axis=1, keepdims=True)) / unit
    shares = np.exp(exponents)
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _inputs(
    text: Text, part: Symbols, places: npt.NDArray[np.int64], context: int, network: Network
) -> npt.NDArray[np.int16]:
    return data.encode(text.windows(part, places, context), 1, network.input)


def verdict(record: TextRecord) -> Verdict:
    """Passed where every network is below the trigram and all of it settled."""
    settled = all(not run.unsettled for case in record.networks for run in case.runs)
    below = all(beats(record, case) for case in record.networks)
    return Verdict(below and settled, lead(record))


STUDY = Study(
    id="text",
    claim="A network that learns in integers predicts characters better than the trigram.",
    setup="One query a relaxation: the last characters one-hot, a clamped readout of all others.",
    control="Counts of order 1 to 5, interpolated, on the same characters.",
    record=TextRecord,
    run=run,
    verdict=verdict,
    page=text_page,
)

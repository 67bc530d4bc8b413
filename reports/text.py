"""The page of text: from the record of `toreq-hw study text`."""

from toreq_hw.records.text import TextCase, TextRecord
from toreq_hw.reports.page import Page, Section, Table

TRIGRAM = 3


def trigram(record: TextRecord) -> float:
    """Bits of a test character by the last two; every record has this order."""
    return next(one.test for one in record.ngrams if one.order == TRIGRAM)


def beats(record: TextRecord, case: TextCase) -> bool:
    """Whether a network costs fewer bits than the trigram, chance aside."""
    return case.test.high < trigram(record)


def lead(record: TextRecord) -> str:
    """What was found, in a sentence."""
    parts = [
        f"{case.name} {_bits(case)}, {'below' if beats(record, case) else 'not below'} the trigram"
        for case in record.networks
    ]
    return f"Bits a test character: trigram {trigram(record):.3f}; {'; '.join(parts)}."


def text_page(record: TextRecord) -> Page:
    """From the whole record."""
    return Page(
        "The next character of a text",
        lead(record),
        (
            Section("Bits a character", _what(record), _costs(record)),
            Section("Networks", "", _networks(record)),
        ),
        dict(record.versions),
    )


def _what(record: TextRecord) -> str:
    return (
        f"{record.data}, {record.split}. Counts are interpolated Witten-Bell; order n looks at n "
        "characters, the one to be predicted among them. A network sees the last characters "
        "one-hot and is relaxed anew for each. Its probabilities are the softmax of the clamped "
        "output's integer sums, at the temperature of the readout."
    )


def _costs(record: TextRecord) -> Table:
    rows = [
        (f"counts, order {one.order}", f"{one.validation:.3f}", f"{one.test:.3f}", "", "")
        for one in record.ngrams
    ]
    for case in record.networks:
        count = len(case.runs)
        validation = sum(run.validation for run in case.runs) / count
        accuracy = 100 * sum(run.accuracy for run in case.runs) / count
        seeds = str(count)
        rows.append((case.name, f"{validation:.3f}", _bits(case), f"{accuracy:.1f}", seeds))
    return Table(("model", "validation", "test", "likeliest, %", "seeds"), tuple(rows))


def _networks(record: TextRecord) -> Table:
    header = ("network", "synapses", "characters learned", "sweeps", "unsettled", "s", "settings")
    rows = []
    for case in record.networks:
        first = case.runs[0]
        rows.append(
            (
                case.name,
                f"{case.synapses:,}",
                f"{first.characters:,}",
                f"{first.sweeps_mean:.1f}",
                str(sum(run.unsettled for run in case.runs)),
                f"{min(run.seconds for run in case.runs):.0f}",
                f"{case.layers}; {case.settings}",
            )
        )
    return Table(header, tuple(rows))


def _bits(case: TextCase) -> str:
    width = f" ± {case.test.half_width:.3f}" if case.test.half_width else ""
    return f"{case.test.value:.3f}{width}"

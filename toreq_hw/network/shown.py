"""Networks as people see them: one line, a summary, and a table in a notebook."""

from html import escape
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from toreq_hw.network.network import Network


_OF_POPULATIONS: tuple[str, ...] = ("population", "neurons", "role", "states", "shape", "F")
_OF_COUPLINGS: tuple[str, ...] = ("coupling", "kind", "weights", "f", "parameters", "zero")


def shape_words(net: "Network") -> str:
    """What is trained, in half a line: populations, weights, kinds, fraction bits, readout.

    Kinds only where a coupling is not dense, a readout only where it is clamped.
    """
    sizes = "-".join("x".join(map(str, p.shape)) or str(p.size) for p in net.populations)
    formats = "/".join(dict.fromkeys(c.weight_format.value for c in net.couplings))
    kinds = [c.kind for c in net.couplings]
    bits = [str(c.fraction_bits) for c in net.couplings]
    words = [f"{sizes} {formats}"]
    if set(kinds) != {"dense"}:
        words.append(_in_words(kinds))
    words.append(f"fraction bits {_in_words(bits)}")
    if net.readout is not None:
        top, bottom = net.readout.temperature
        words.append(f"clamped {net.readout.normalisation.value} of temperature {top}/{bottom}")
    return ", ".join(words)


def _in_words(items: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


class Shown:
    """What `Network` says of itself; nothing here is part of what it computes."""

    def summary(self) -> str:
        """Populations, couplings and totals, a line each."""
        net = cast("Network", self)
        header = [_OF_POPULATIONS, *(_population(net, k) for k in range(len(net.populations)))]
        couplings = [_OF_COUPLINGS, *(_coupling(net, k) for k in range(len(net.couplings)))]
        return "\n".join([repr(self), "", *_columns(header), "", *_columns(couplings), *_more(net)])

    def __repr__(self) -> str:
        net = cast("Network", self)
        sizes = "-".join(str(p.size) for p in net.populations)
        formats = "/".join(dict.fromkeys(c.weight_format.value for c in net.couplings))
        return f"<Network {sizes} {formats}, {net.synapses:,} weights, {net.sha256[:12]}>"

    def _repr_html_(self) -> str:
        """For notebooks."""
        net = cast("Network", self)
        rows = [_population(net, k) for k in range(len(net.populations))]
        couplings = [_coupling(net, k) for k in range(len(net.couplings))]
        return (
            f"<p><code>{escape(repr(self))}</code></p>{_table(_OF_POPULATIONS, rows)}"
            f"{_table(_OF_COUPLINGS, couplings)}"
        )


def _population(net: "Network", number: int) -> tuple[str, ...]:
    one = net.populations[number]
    relaxing = one.name in [p.name for p in net.relaxing]
    return (
        one.name,
        f"{one.size:,}",
        one.role.value,
        f"{one.state_bits} bits{', signed' if one.signed else ''}",
        "x".join(map(str, one.shape)) or "-",
        str(net.accumulator_fraction_bits(one.name)) if relaxing else "-",
    )


def _coupling(net: "Network", number: int) -> tuple[str, ...]:
    one = net.couplings[number]
    stored = one.parameters
    zero = f"{100 * float((stored == 0).mean()):.0f} %" if stored.size else "-"
    kind = one.kind if one.own_feedback is None else f"{one.kind}, {one.own_feedback.kind} feedback"
    return (
        one.name,
        kind,
        one.weight_format.value,
        str(one.fraction_bits),
        f"{stored.size:,}",
        zero,
    )


def _more(net: "Network") -> list[str]:
    """Terms, schedule, readout and totals."""
    readout = "relaxing" if net.readout is None else "clamped"
    lines = ["", *(f"term {term.name}, f {term.fraction_bits}" for term in net.terms)]
    lines.append(
        f"schedule {net.sweep.name} of {len(net.colours)} colours; readout {readout}; nudge 2^-"
        f"{net.beta_shift}"
    )
    if net.encoding is not None:
        lines.append(f"features are scaled{' to signed inputs' if net.encoding.centred else ''}")
    return lines


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    lines = [[cell.ljust(w) for cell, w in zip(row, widths, strict=True)] for row in rows]
    return ["  ".join(line).rstrip() for line in lines]


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

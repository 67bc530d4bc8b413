"""Sources as footnotes: a number beside a figure, and the list of what the numbers stand for."""

from toreq_hw.reports.page import Section, Table


class Footnotes:
    """Each source once, in the order in which figures name them."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def mark(self, source: str) -> str:
        """The number of a source in brackets."""
        if source not in self._texts:
            self._texts.append(source)
        return f"[{self._texts.index(source) + 1}]"

    def section(self) -> Section:
        """The list; the page has it last."""
        rows = tuple((f"[{k}] {text}",) for k, text in enumerate(self._texts, 1))
        return Section("Sources", table=Table(("source",), rows))

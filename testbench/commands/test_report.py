"""Report pages: what every one has, and the index that links them."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from matplotlib.figure import Figure

from testbench.command_line import toreq_hw
from toreq_hw.reports.page import Page, Section, Table, network_facts, page_html, write_page
from toreq_hw.reports.page_index import INDEX
from toreq_hw.reports.pictures import bars, svg

SHA = "0123456789abcdef" * 4


def page(title: str = "A page", passed: bool | None = True) -> Page:
    table = Table(("figure", "value"), (("a < b", "1"),))
    sections = (
        Section("What it took", "Words.", table),
        Section("What it took", "", table),
        Section("Work", pictures=(bars([3, 2], "tick", "events per image"),)),
    )
    return Page(title, "All held.", sections, {"numpy": "2"}, passed, network_facts(SHA))


class _Seen(HTMLParser):
    """Tags of a page with their attributes; what is open around each table."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.around: list[dict[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.around.append(self.tags[-1][1])
        self.tags.append((tag, dict(attrs)))

    def values(self, tag: str, name: str) -> list[str | None]:
        return [attrs[name] for found, attrs in self.tags if found == tag and name in attrs]


def test_contents_lead_to_the_sections() -> None:
    seen = _Seen(page_html(page()))
    anchors = seen.values("h2", "id")
    assert anchors == ["what-it-took", "what-it-took-2", "work"]
    links = [link for link in seen.values("a", "href") if link and link.startswith("#")]
    assert set(links) == {f"#{anchor}" for anchor in anchors}
    assert len(links) == 6  # once in the contents, once in the heading


def test_the_verdict_stands_above_everything() -> None:
    for passed, word in ((True, "passed"), (False, "failed")):
        text = page_html(page(passed=passed))
        assert text.index(f'aria-label="{word}"') < text.index("<h2")
        assert f"{word.capitalize()}.</strong>" in text
    assert 'aria-label="passed"' not in page_html(page(passed=None))


def test_hash_and_date_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    text = page_html(page())
    assert f"<dd>{SHA}</dd>" in text
    assert "<dd>1970-01-02</dd>" in text


def test_tables_scroll_inside_themselves() -> None:
    seen = _Seen(page_html(page()))
    assert len(seen.around) == 2
    for around in seen.around:
        assert around["class"] == "scroll"
        assert around["tabindex"] == "0"
        assert around["aria-label"]


def test_every_picture_is_described() -> None:
    seen = _Seen(page_html(page()))
    for tag, attributes in seen.tags:
        if tag == "svg":
            assert attributes["role"] == "img"
            assert attributes["aria-label"]
    figure = Figure()
    axes = figure.add_subplot(xlabel="tick", ylabel='energy, "doubled"')
    axes.plot([2, 1], label="free phase")
    axes.legend()
    label = 'aria-label="energy, &quot;doubled&quot; against tick: free phase"'
    assert label in svg(figure)


def test_a_page_reads_in_the_dark() -> None:
    assert "@media (prefers-color-scheme: dark)" in page_html(page())


def test_equal_pages_give_equal_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert page_html(page()) == page_html(page())


def links_of(path: Path) -> list[Path]:
    """The files that a page's links between pages lead to."""
    found = re.findall(r'href="([^"#]+)"', path.read_text(encoding="utf-8"))
    return [(path.parent / link).resolve() for link in found]


def test_the_index_lists_and_links(tmp_path: Path) -> None:
    names = ("index.html", "b/index.html", "b/deep er/last.html")
    for name, passed in zip(names, (True, False, None), strict=True):
        write_page(page(f"Page <{name}>", passed), tmp_path / name)
    (tmp_path / "b/other.html").write_text("<title>not ours</title>", encoding="utf-8")
    for _ in range(2):  # the second time finds the links of the first
        done = toreq_hw("report", tmp_path)
        assert done.status == 0, done.error
        assert "3 pages" in done.output
    index = (tmp_path / INDEX).read_text(encoding="utf-8")
    assert "Page &lt;b/index.html&gt;" in index
    assert index.count('aria-label="failed"') == 1
    assert SHA[:12] in index
    assert (tmp_path / "b/other.html").read_text(encoding="utf-8") == "<title>not ours</title>"
    expected = {(tmp_path / name).resolve() for name in names}
    assert {Path(str(one).replace("%20", " ")) for one in links_of(tmp_path / INDEX)} == expected
    for name in names:
        found = [Path(str(one).replace("%20", " ")) for one in links_of(tmp_path / name)]
        assert found[0] == (tmp_path / INDEX).resolve()
        assert all(one.is_file() for one in found)
    assert len(links_of(tmp_path / "b/index.html")) == 3  # in the middle: both neighbours


@pytest.mark.parametrize("name", ["absent", "empty", "file"])
def test_what_holds_no_page_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = toreq_hw("report", tmp_path / name)
    assert done.status == 2
    assert done.error.startswith("error: ")
    assert len(done.error.splitlines()) == 1
    assert not (tmp_path / "empty" / INDEX).exists()
    assert not (tmp_path / "absent").exists()


def test_figures_stay_on_one_line_and_words_wrap() -> None:
    table = Table(
        ("case", "accuracy", "why"), (("a", "97.4 ± 0.6", "power at rest, where it is known"),)
    )
    assert table.kinds == ("words", "figures", "words")
    assert Table(("case", "accuracy"), ()).kinds == ("words", "figures")
    text = page_html(Page("A page", "All held.", (Section("A section", "", table),)))
    assert _Seen(text).values("td", "class") == ["words", "figures", "words"]
    assert "td.figures { white-space: nowrap; }" in text


def folded() -> Page:
    table = Table(("track", "verdict"), (("1", "holds"), ("2", "not run")), {"1": "Track 1"})
    return Page(
        "A page",
        "All held.",
        (
            Section("Verdicts", "", table),
            Section("Track 1", "Words.", fold="Track 1 (holds): 2 < 3"),
            Section("Track 1: figures", "", table, fold="Track 1 (holds): 2 < 3"),
            Section("Track 3", "Words.", fold="Track 3 (refuted): 3 < 2"),
        ),
    )


def test_sections_fold_together_and_tables_lead_to_them() -> None:
    text = page_html(folded())
    assert text.count("<details>") == text.count("</details>") == 2
    first = text[text.index("<details>") : text.index("</details>")]
    assert "<summary>Track 1 (holds): 2 &lt; 3</summary>" in first
    seen = _Seen(first)
    # a link opens what is closed around its target: so the target may not be in the summary
    assert seen.values("h2", "id") == ["track-1", "track-1-figures"]
    assert first.index("</summary>") < first.index('id="track-1"')
    assert '<a href="#track-1">1</a></td>' in text
    assert '<td class="words">2</td>' in text
    contents = text[text.index("<nav") : text.index("</nav>")]
    assert re.findall(r'href="#([^"]+)"', contents) == ["verdicts", "track-1", "track-3"]
    assert "::details-content" in text[text.index("@media print") :]


def test_a_page_without_folds_has_nothing_of_them() -> None:
    assert "details" not in page_html(page())

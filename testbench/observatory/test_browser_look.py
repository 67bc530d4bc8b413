"""What the page looks like, from computed styles: contrast, narrow screens, nothing cut off."""

from typing import Any

import pytest

from testbench.observatory.tabs import Shown, needs_browser
from testbench.patience import until

pytestmark = needs_browser

NORMAL, LARGE = 4.5, 3.0
"""Ratios that WCAG 2.1 asks of text at level AA; large is 24 px, or 18.66 px in bold."""

looks = pytest.mark.parametrize(
    ("scheme", "width"), [("light", 1400), ("dark", 1400), ("light", 420), ("dark", 420)]
)

TEXTS = """() => {
  const colour = (text) => {
    const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number);
    return [r, g, b, a];
  };
  const ground = (one) => {
    for (let at = one; at; at = at.parentElement) {
      const found = colour(getComputedStyle(at).backgroundColor);
      if (found[3] > 0) return found;
    }
    return [255, 255, 255, 1];
  };
  const opacity = (one) => one ? getComputedStyle(one).opacity * opacity(one.parentElement) : 1;
  const own = (one) => [...one.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const shows = (one) => one.checkVisibility() && !one.disabled && !one.closest('.said, option')
    && (own(one) || /^(INPUT|SELECT)$/.test(one.tagName));
  return [...document.body.querySelectorAll('*')].filter(shows).map((one) => {
    const style = getComputedStyle(one);
    const box = one.getBoundingClientRect();
    return {
      words: (one.id || one.className || one.tagName) + ': ' + one.textContent.slice(0, 40),
      ink: colour(style.color), ground: ground(one), opacity: opacity(one),
      size: parseFloat(style.fontSize), bold: style.fontWeight >= 700,
      left: box.left, right: box.right, cut: one.scrollWidth > one.clientWidth + 1
        && style.overflowX !== 'visible' && one.tagName !== 'INPUT',
    };
  });
}"""

DRAWN_BEFORE = """() => [...document.querySelectorAll('body, body *')].flatMap((one) =>
  ['::before', '::after'].map((side) => getComputedStyle(one, side).content))
  .filter((content) => !/^(none|normal)$/.test(content))"""

WHOSE = """() => [...document.querySelectorAll('.whose')].filter((one) => one.checkVisibility())
  .map((one) => {
    const words = document.createRange();
    words.selectNodeContents(one);
    const [box, whole] = [words, one.closest('figure')].map((part) => part.getBoundingClientRect());
    return [one.textContent, box.left - whole.left, whole.right - box.right];
  })"""


def luminance(colour: list[float]) -> float:
    """Relative luminance of a colour in sRGB, red to blue in 0..255, as WCAG 2.1 defines it."""
    parts = [value / 255 for value in colour[:3]]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: list[float], other: list[float]) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast([0, 0, 0], [255, 255, 255]) == pytest.approx(21)
    assert contrast([119, 119, 119], [255, 255, 255]) == pytest.approx(4.48, abs=0.01)


def fill(shown: Shown) -> None:
    """Brings all parts of the page up that say something: phases, damage, learning, a machine."""
    shown.settle()
    shown.tab.click("#learn")
    shown.until("#moved", "latents (grey)")
    shown.settle()
    shown.click_neuron("hidden", 3)
    shown.until("#breaks", "1 neuron of hidden dead")
    shown.until("#returned", "neurons are in the sound equilibrium")
    shown.tab.click("#positive")
    shown.until("#where", "positive phase")
    shown.settle()
    shown.tab.check("#fault")
    shown.tab.click("#compare")
    shown.until("#difference", "First difference to the reference engine, one weight broken: ")
    shown.tab.evaluate("document.getElementById('trouble').hidden = false")
    shown.tab.evaluate("document.getElementById('trouble').textContent = 'a line'")


@looks
def test_all_text_is_read_easily(browser: Any, app: Any, scheme: str, width: int) -> None:
    size = {"width": width, "height": 900}
    with Shown(browser, app, viewport=size, color_scheme=scheme) as shown:
        fill(shown)
        texts = shown.tab.evaluate(TEXTS)
        assert len(texts) > 80
        for text in texts:
            large = text["size"] >= 24 or (text["size"] >= 18.66 and text["bold"])
            assert text["ink"][3] == text["opacity"] == text["ground"][3] == 1, text
            found = contrast(text["ink"], text["ground"])
            assert found >= (LARGE if large else NORMAL), (found, text)
        assert shown.tab.evaluate(DRAWN_BEFORE) == [], "a text that is no text is not measured"


@looks
def test_nothing_is_cut_off_or_covered(browser: Any, app: Any, scheme: str, width: int) -> None:
    size = {"width": width, "height": 900}
    with Shown(browser, app, viewport=size, color_scheme=scheme) as shown:
        fill(shown)
        assert shown.tab.evaluate("document.documentElement.scrollWidth") <= width
        for text in shown.tab.evaluate(TEXTS):
            assert text["left"] >= 0, text
            assert text["right"] <= width, text
            assert not text["cut"], text
        words = shown.tab.evaluate(WHOSE)
        assert {one for one, *_ in words} == {"simulator", "reference engine"}
        for one, left, right in words:
            assert min(left, right) >= 0, (one, "must stand within its figure")


def test_curves_have_axes_and_are_seen(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown.settle()
        last = shown.tab.get_attribute("#scrub", "max")
        for words in ("2E", "tick", last):
            assert words in shown.text(".plot:has(#energy)").split()
        assert not shown.tab.is_visible("#accuracy")
        shown.tab.press("#train-speed", "End")
        shown.tab.click("#train")
        until(lambda: shown.tab.is_visible("#accuracy"))
        shown.tab.click("#train")
        shown.until("#train", "Train")
        axes = shown.text(".plot:has(#accuracy)")
        assert all(words in axes for words in ("100 %", "0 %", "images learned"))
        assert shown.text("#end").startswith("✓ This phase settled"), "the new weights settle"

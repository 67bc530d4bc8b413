"""The slider of the couplings in a real browser: what settles, what cycles, and how fast."""

from typing import Any

import numpy as np
import pytest

from testbench.observatory.cases import digits_network
from testbench.observatory.tabs import Shown, needs_browser
from testbench.patience import until
from toreq_hw import data, sim
from toreq_hw.observatory import live
from toreq_hw.observatory.loop_gain import Settings, changed

pytestmark = needs_browser

SAMPLE = 1
"""At four times its couplings this digit settles under parity alone."""

GAIN = 4.0
"""The end of the slider."""


def radius(gain: float) -> float:
    """Of symmetric couplings between two populations: their largest singular value."""
    (coupling,) = (c for c in digits_network().couplings if c.pre == "hidden")
    weights = coupling.parameters.astype(np.float64)
    return gain * float(np.linalg.svd(weights)[1].max()) * 2.0**-coupling.fraction_bits


def measured(settings: Settings) -> int:
    """Sweeps after which the states of a phase return, from its trace; 0 where it settles."""
    net = changed(digits_network(), settings)
    digits = data.load("digits")
    images = digits.test.images[SAMPLE : SAMPLE + 1]
    inputs = data.input_states(net, images, digits.pixel_max)
    result = sim.relax(net, inputs, max_sweeps=400, trace=True, engine="reference")
    assert result.trace is not None
    parts = result.trace.states(sample=0)
    ticks = np.concatenate([np.asarray(part) for part in parts.values()], axis=1)
    sweeps = ticks[:: len(net.sweep.colours)]
    last = sweeps[-1]
    back = next(k for k in range(1, len(sweeps)) if np.array_equal(last, sweeps[-1 - k]))
    return 0 if back == 1 else back


def shown_digit(shown: Shown) -> None:
    shown.tab.fill("#sample", str(SAMPLE))
    shown.tab.press("#sample", "Enter")
    shown.until("#label", f"test image {SAMPLE},")
    shown.settle()


def slide(shown: Shown, key: str, said: str) -> None:
    """Moves the slider by a key and waits until the page has the new couplings."""
    shown.tab.press("#gain", key)
    shown.until("#gain-said", said)


def ended(shown: Shown) -> str:
    """What the page says of the phase when it is over."""
    shown.tab.click("#settle")
    until(lambda: "goes on" not in shown.text("#end"), lambda: shown.text("#end"))
    shown.until("#play", "Play")
    return shown.text("#end")


def assert_gain_is_said(shown: Shown, gain: float) -> None:
    side = "above 1" if radius(gain) > 1 else "below 1"
    said = shown.text("#loop")
    assert f"Spectral radius {radius(gain):.3f}, {side}." in said
    assert f"Lipschitz constant {radius(gain):.3f} of one update of all neurons, {side}." in said


def test_under_parity_it_settles_whatever_the_scale(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown_digit(shown)
        assert_gain_is_said(shown, 1.0)
        assert f"near a scale of {1 / radius(1.0):.2f}" in shown.text("#loop")
        shown.tab.select_option("#schedule", "parity")
        shown.until("#settles", "parity: always settles.")
        for key, said in (("End", "4.00 times"), ("Home", "0.00 times"), ("End", "4.00 times")):
            slide(shown, key, said)
            assert "✓ This phase settled at tick" in ended(shown)
            assert "it fell in every tick with changes" in shown.text("#energy-said")
        assert_gain_is_said(shown, GAIN)
        assert measured(Settings(GAIN, "parity")) == 0


def test_under_synchronous_it_cycles_with_the_measured_period(browser: Any, app: Any) -> None:
    period = measured(Settings(GAIN, "synchronous"))
    assert period == 2
    with Shown(browser, app) as shown:
        shown_digit(shown)
        shown.tab.select_option("#schedule", "synchronous")
        shown.until("#settles", "synchronous: may cycle with period 2.")
        assert "✓ This phase settled" in ended(shown)
        slide(shown, "End", "4.00 times")
        assert f"↻ This phase cycles: states return after {period} sweeps." in ended(shown)
        assert_gain_is_said(shown, GAIN)
        shown.tab.select_option("#schedule", "parity")
        shown.until("#settles", "parity: always settles.")
        assert "✓ This phase settled" in ended(shown)


def test_feedback_of_its_own_may_not_end(
    browser: Any, app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    period = measured(Settings(GAIN, "parity", own_feedback=True))
    assert period > 1
    with Shown(browser, app) as shown:
        shown_digit(shown)
        shown.tab.select_option("#schedule", "parity")
        shown.tab.check("#own")
        shown.until("#settles", "parity: no energy, it may cycle with any period.")
        shown.until("#energy-said", "This network has no energy")
        slide(shown, "End", "4.00 times")
        assert f"↻ This phase cycles: states return after {period} sweeps." in ended(shown)
        monkeypatch.setattr(live, "MAX_SWEEPS", 2)  # fewer than it takes to see a cycle
        slide(shown, "ArrowLeft", "3.95 times")
        slide(shown, "ArrowRight", "4.00 times")
        assert ended(shown) == "… This phase had not settled after 2 sweeps, where it was ended."


def test_a_refusal_stays_until_the_next_command(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        shown_digit(shown)
        slide(shown, "End", "4.00 times")
        shown.settle()
        (tab,) = app.tabs
        shown.tab.click("#learn")  # and plays: frames go on
        shown.until("#trouble", "learning must be at gain 1")
        shown.tab.select_option("#palette", "classic")  # asks nothing of the server
        sent = tab.sent
        tab._dirty.set()
        until(lambda: tab.sent > sent and tab._seen.is_set())
        assert "learning must be at gain 1" in shown.text("#trouble")
        shown.tab.click("#first")
        until(lambda: shown.text("#trouble") == "")

"""Damage, relearning and scaled couplings in a real browser."""

from typing import Any

import pytest

from testbench.observatory.cases import digits_network
from testbench.observatory.tabs import Shown, needs_browser
from testbench.patience import until
from toreq_hw import sim
from toreq_hw.observatory import frame

pytestmark = needs_browser

MOST_SAMPLES = 30_000
"""Until a broken network must have learned again."""


def tab_of(app: Any) -> Any:
    """The only tab that is open."""
    until(lambda: len(app.tabs) == 1)
    (tab,) = app.tabs
    return tab


def crosses(shown: Shown, population: str) -> int:
    """Neurons of a picture that are crossed out, two lines each."""
    crossed = f"div:has(> canvas[data-population={population}]) > .crosses .over"
    lines = (
        shown.tab.locator(crossed).get_attribute("d") if shown.tab.locator(crossed).count() else ""
    )
    return (lines or "").count("M") // 2


def assert_canvases_are_frames(shown: Shown, tab: Any) -> None:
    """Of the tick that is viewed, which no longer moves."""
    view, recording = tab.live.viewer.view, tab.live.recording
    shown.assert_shows(frame(recording, view.tick, phase=view.phase), recording)


@pytest.mark.parametrize("what", ["dead", "stuck", "flipped"])
def test_a_brush_breaks_neurons_for_good(browser: Any, app: Any, what: str) -> None:
    hidden = digits_network().population("hidden")
    with Shown(browser, app) as shown:
        tab = tab_of(app)
        shown.settle()
        shown.tab.select_option("#brush", what)
        shown.tab.fill("#brush-size", "2")
        shown.click_neuron("hidden", 7)
        shown.until("#breaks", f"4 neurons of hidden {what}")
        painted = tab.live.breaks[0].neurons
        assert 7 in painted
        assert len(set(painted)) == 4
        assert crosses(shown, "hidden") == 4
        shown.settle()
        history = tab.live.recording.last
        for tick in range(history.first, history.last + 1):
            states = history.states(tick)[list(painted)]
            if what == "dead":
                assert not states.any()
            elif what == "stuck":
                assert (states == hidden.state_max).all()
        if what == "flipped":
            sound = tab.live.recording.phases[0].states(tab.live.recording.phases[0].last)
            half = 1 << (hidden.state_bits - 1)
            now = history.states(history.last)[list(painted)]
            before = sound[list(painted)]
            assert (((now >= half) != (before >= half)) | (now != before)).any()
        assert_canvases_are_frames(shown, tab)
        shown.until("#returned", "neurons are in the sound equilibrium")


def test_cut_couplings_and_noise_end_and_are_taken_back(browser: Any, app: Any) -> None:
    with Shown(browser, app) as shown:
        tab = tab_of(app)
        shown.settle()
        sound = shown.text("#classes")
        shown.tab.select_option("#layer", "missing_synapses")
        assert "fraction" in shown.text("#unit-said")
        shown.tab.select_option("#place", "input-hidden")
        shown.tab.fill("#level", "0.5")
        shown.tab.click("#damage")
        shown.until("#breaks", "missing synapses 0.5 in input-hidden")
        shown.settle()
        shown.until("#returned", "of 34 neurons are in the sound equilibrium")
        assert shown.text("#classes") != sound
        assert_canvases_are_frames(shown, tab)
        shown.tab.click("#repair")
        until(lambda: shown.text("#breaks") == "")
        shown.tab.select_option("#layer", "thermal_noise")
        shown.tab.fill("#level", "0.3")
        shown.tab.click("#damage")
        shown.until("#breaks", "thermal noise 0.3")
        shown.settle()
        history = tab.live.recording.last
        assert history.last > 30, "noise goes on for 60 ticks"
        assert any(len(history.step(t).neuron) for t in range(20, 60))
        assert shown.tab.locator("#energy .rise").count() > 0
        shown.tab.click("#repair")
        shown.tab.click("#next")  # from rest, without damage
        shown.until("#label", "test image 1,")
        shown.settle()
        inputs = tab.live.recording.last.inputs[None]
        best = int(sim.relax(digits_network(), inputs).classes[0])
        assert shown.text("#classes .best").startswith(f"class {best}")


def test_what_was_broken_learns_again(browser: Any, app: Any) -> None:
    def points() -> list[Any]:
        training = tab.live.training
        return [] if training is None else list(training.curve)

    def right_of_enough() -> bool:
        """More than that is reached after some thousands of images."""
        return bool(points()) and (
            points()[-1].accuracy > 0.7 or points()[-1].samples > MOST_SAMPLES
        )

    def best_after(number: int) -> float:
        """The accuracy of single points goes up and down."""
        return max(point.accuracy for point in points()[number + 1 :])

    with Shown(browser, app) as shown:
        tab = tab_of(app)
        shown.settle()
        shown.tab.fill("#train-speed", "4")
        shown.tab.click("#train")
        until(right_of_enough)
        shown.tab.click("#train")  # stop
        shown.until("#train", "Train")
        learned = len(points())
        shown.tab.fill("#brush-size", "4")
        shown.click_neuron("hidden", 8)
        shown.until("#breaks", "16 neurons of hidden dead")
        shown.tab.click("#train")
        until(lambda: len(points()) > learned + 1)
        broken = points()[learned]
        until(
            lambda: (
                best_after(learned) > broken.accuracy + 0.1
                or points()[-1].samples > broken.samples + MOST_SAMPLES
            )
        )
        shown.tab.click("#train")
        shown.until("#train", "Train")
        before, after = points()[learned - 1], points()[-1]
        assert broken.samples == before.samples, "the curve falls where neurons break"
        assert broken.accuracy < before.accuracy - 0.1
        assert best_after(learned) > broken.accuracy + 0.1, "and comes back"
        shown.until("#training", f"{100 * after.accuracy:.1f} %")
        label = shown.tab.get_attribute("#accuracy", "aria-label")
        assert f"now {100 * after.accuracy:.1f} %" in label
        assert "16 neurons of hidden dead" in shown.text("#breaks")

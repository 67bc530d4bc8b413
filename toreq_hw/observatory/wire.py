"""What a tab is sent: a frame with all that the page says beside it.

A message is the length of its header (uint32, little endian), the header as JSON, and the planes.
Planes have 8 bits a pixel and come in the order of `PLANES`.
"""

import struct
from dataclasses import asdict
from typing import TypedDict

import msgspec

from toreq_hw.contract.results import Status
from toreq_hw.observatory.breaking import KINDS, PAINTS, described, painted
from toreq_hw.observatory.history import History
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.loop_gain import Settings
from toreq_hw.observatory.machines import MACHINES
from toreq_hw.observatory.picture import PALETTES, Pixels
from toreq_hw.observatory.poster import ending
from toreq_hw.observatory.recording import Recording
from toreq_hw.observatory.training import TEST_IMAGES
from toreq_hw.observatory.watched import Watched
from toreq_hw.sim.perturbation import KINDS as LAYERS

MOST_ROWS = 2000
"""Ticks of the curve in one message; the others follow in the next ones."""

Header = dict[str, object]


class Sent(TypedDict):
    """What the page has of a curve. phase: serial of its history. tick: the next one."""

    phase: int
    tick: int


def packed(header: Header, planes: Pixels) -> bytes:
    """A message. planes: uint8 (4, height, width)."""
    text = msgspec.json.encode(header)
    return struct.pack("<I", len(text)) + text + planes.tobytes()


def about(shown: Watched) -> Header:
    """What does not change while a tab is open, but with the network: panels, choices, limits."""
    own = about_network(shown) if isinstance(shown, Live) else about_recording(shown.recording)
    plan = shown.recording.plan
    return {
        **own,
        "replayed": not isinstance(shown, Live),
        "panels": [
            {
                "name": panel.population.name,
                "size": panel.population.size,
                "role": panel.population.role.value,
                "low": panel.population.state_min,
                "high": panel.population.state_max,
                "top": panel.top,
                "left": panel.left,
                "height": panel.height,
                "width": panel.width,
                "cells": panel.cells.ravel().tolist(),
            }
            for panel in plan.panels
        ],
        "height": plan.height,
        "width": plan.width,
        "palettes": {name: asdict(palette) for name, palette in PALETTES.items()},
    }


def about_recording(recording: Recording) -> Header:
    """What is its own of a recording: there is nothing to choose."""
    source, first = recording.source, recording.plan.panels[0]
    outputs = recording.phases[0].step(recording.phases[0].first).scores
    return {
        "name": f"a recording of the {source.name}",
        "sha256": source.network_sha256,
        "data": f"network {source.network_sha256[:12]}",
        "samples": 0,
        "classes": len(outputs),
        "rows": source.rows,
        "image": {"height": first.height, "width": first.width, "paints": False},
        "schedule": "",
        "couplings": [],
        "layers": [],
        "paints": [],
        "machines": {},
        "judged": 0,
    }


def about_network(live: Live) -> Header:
    """What is its own of a network: what may be chosen."""
    network, dataset = live.network, live.dataset
    return {
        "name": repr(network).removeprefix("<").removesuffix(">"),
        "sha256": network.sha256,
        "data": dataset.name,
        "samples": len(dataset.test),
        "classes": dataset.classes,
        "rows": dataset.rows,
        "image": {
            "height": dataset.shape[0],
            "width": dataset.shape[1] * dataset.channels,
            "paints": dataset.holds_images and dataset.channels == 1,
        },
        "schedule": network.sweep.name,
        "couplings": [coupling.name for coupling in network.couplings],
        "layers": [
            {
                "kind": kind,
                "unit": LAYERS[kind].unit,
                "low": LAYERS[kind].domain[0],
                "high": min(1.0, LAYERS[kind].domain[1]),
                "quiescence": LAYERS[kind].quiescence,
            }
            for kind in KINDS
        ],
        "paints": list(PAINTS),
        "machines": MACHINES,
        "judged": min(TEST_IMAGES, len(dataset.test)),
    }


def of_view(live: Watched) -> Header:
    """The tick that is viewed, and how its phase stands."""
    view, history = live.viewer.view, live.viewer.history
    step = history.step(view.tick)
    last = view.phase == len(live.recording.phases) - 1
    scores = step.scores
    return {
        "phases": [
            {"name": str(h.phase), "first": h.first, "last": h.last, "settled": h.status == 0}
            for h in live.recording.phases
        ],
        "view": {
            "phase": view.phase,
            "name": str(history.phase),
            "tick": view.tick,
            "sweep": -(-view.tick // history.colours),
            "event": view.event,
            "changes": len(step.neuron),
            "first": history.first,
            "last": history.last,
            "colours": history.colours,
            "ended": ending(history) if history.status is not None else "",
            "settled": history.status == Status.SETTLED,
            "period": history.period,
            "sweeps": history.sweeps,
            "running": last and not live.viewer.finished,
            "atEnd": live.viewer.at_end,
            "rises": not history.falls(view.tick),
        },
        "energy": step.energy,
        "counts": {
            "events": step.events,
            "synops": step.synops,
            "dense": round(history.dense_at(view.tick)),
        },
        "scores": scores.tolist() if len(scores) <= 1000 else [],
        "best": int(scores.argmax()),
        "input": _input(live),
        "reached": live.viewer.reached(),
    }


def _input(live: Watched) -> Header:
    """The image that is shown, 0..255 a pixel; of a recording its input states, spread likewise."""
    if not isinstance(live, Live):
        population = live.recording.plan.populations[0]
        levels = live.viewer.history.inputs.astype(int) - population.state_min
        spread = levels * 255 // (population.state_max - population.state_min)
        return {"sample": None, "painted": 0, "label": None, "pixels": spread.tolist()}
    label = None if live.sample is None else live.dataset.test.labels[live.sample].tolist()
    return {
        "sample": live.sample,
        "painted": live.painted,
        "label": label,
        "pixels": (live.pixels.astype(int) * 255 // live.dataset.pixel_max).tolist(),
    }


def of_state(live: Watched) -> Header:
    """Settings, damage and learning, as they stand; of a recording there are none."""
    if not isinstance(live, Live):
        none: Header = dict.fromkeys(("gain", "shown", "returned", "training"))
        return none | {"settings": asdict(Settings()), "breaks": [], "painted": {}, "moved": []}
    returned, training, gain = live.returned(), live.training, live.gain()
    return {
        "settings": asdict(live.settings),
        "gain": None if gain is None else {"radius": gain.radius, "lipschitz": gain.lipschitz},
        "shown": {
            "schedule": live.shown.sweep.name,
            "settles": live.shown.sweep.always_settles,
            "energy": live.shown.has_energy,
        },
        "breaks": [described(one) for one in live.breaks],
        "painted": painted(live.breaks),
        "returned": None if returned is None else asdict(returned),
        "training": None
        if training is None
        else {
            "samples": training.samples,
            "curve": [[point.samples, point.accuracy] for point in training.curve],
        },
        "moved": [
            {
                "coupling": one.coupling,
                "weights": one.weights,
                "latents": one.latents,
                "of": one.of,
                "height": len(one.cells),
                "width": one.cells.size // len(one.cells),
                "cells": one.cells.ravel().tolist(),
            }
            for one in live.moved
        ],
    }


def of_curve(history: History, sent: Sent) -> Header:
    """The ticks of a phase that the page does not have yet; `sent` is brought up to date."""
    if sent["phase"] != history.serial:
        sent["phase"], sent["tick"] = history.serial, history.first
    first = max(sent["tick"], history.first)
    stop = min(history.last + 1, first + MOST_ROWS)
    rows = []
    for number in range(first, stop):
        step = history.step(number)
        dense = round(history.dense_at(number))
        energy = None if step.energy is None else float(step.energy)
        rows.append(
            [number, energy, len(step.neuron), step.synops, dense, not history.falls(number)]
        )
    sent["tick"] = stop
    return {"first": history.first, "from": first, "rows": rows, "more": stop <= history.last}

"""What a tab is sent: a frame with all that the page says beside it.

A message is the length of its header (uint32, little endian), the header as JSON, and the planes.
Planes have 8 bits a pixel and come in the order of `PLANES`.
"""

import struct
from dataclasses import asdict
from typing import TypedDict

import msgspec

from toreq_hw.contract.results import Status
from toreq_hw.data import Dataset
from toreq_hw.network import Network
from toreq_hw.observatory.breaking import KINDS, PAINTS, described, painted
from toreq_hw.observatory.history import History
from toreq_hw.observatory.live import Live
from toreq_hw.observatory.machines import MACHINES
from toreq_hw.observatory.panels import Plan
from toreq_hw.observatory.picture import PALETTES, Pixels
from toreq_hw.observatory.poster import ending
from toreq_hw.observatory.training import TEST_IMAGES
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


def about_network(network: Network, dataset: Dataset, plan: Plan) -> Header:
    """What does not change while a tab is open, but with the network: panels, choices, limits."""
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


def of_view(live: Live) -> Header:
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
            "running": last and not live.session.finished,
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
        "input": {
            "sample": live.sample,
            "painted": live.painted,
            "label": _label(live),
            "pixels": (live.pixels.astype(int) * 255 // live.dataset.pixel_max).tolist(),
        },
        "reached": live.viewer.reached(),
    }


def _label(live: Live) -> object:
    return None if live.sample is None else live.dataset.test.labels[live.sample].tolist()


def of_state(live: Live) -> Header:
    """Settings, damage and learning, as they stand."""
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

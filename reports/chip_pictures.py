"""Pictures of a network on a chip: what each core holds, and what happens in each tick."""

import matplotlib as mpl
import numpy as np
from matplotlib import colormaps
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from toreq_hw.records.chip import ChipActivity, ChipMap
from toreq_hw.reports.pictures import STYLE, svg

_STYLE = {**STYLE, "axes.titlesize": 9}

NAMED_CORES = 12
"""Up to so many, each bar has its core's name."""


def population_colours(names: list[str]) -> dict[str, tuple[float, float, float, float]]:
    """One colour a population, the same in every picture of a page."""
    return {name: colormaps.get_cmap("tab10")(k % 10) for k, name in enumerate(names)}


def limit_bars(mapping: ChipMap) -> str:
    """SVG text: a bar for each core in a panel for each limit, in per cent of the limit."""
    cores = mapping.cores
    names = list(cores[0].percent)
    colours = population_colours(list(dict.fromkeys(core.population for core in cores)))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 1.0 + 1.1 * len(names)), layout="constrained")
        panels = figure.subplots(len(names), 1, sharex=True, squeeze=False).ravel()
        for axes, name in zip(panels, names, strict=True):
            heights = [core.percent[name] for core in cores]
            bars = axes.bar(range(len(cores)), heights, width=0.8)
            for bar, core in zip(bars, cores, strict=True):
                bar.set_color(colours[core.population])
            if len(cores) <= NAMED_CORES:
                axes.bar_label(bars, fmt="%g %%", fontsize=8)
            limit = mapping.chip.limit(name)
            axes.set_title(f"{name.replace('_', ' ')}, % of {limit:,}", loc="left")
            axes.axhline(100, color="#c0392b", lw=1, ls="--")
            axes.set_ylim(0, 1.1 * max(105, *heights))
            axes.grid(axis="y", alpha=0.3)
        _name_cores(panels[-1], mapping)
        handles: list[Artist] = [Patch(color=colours[name], label=name) for name in colours]
        handles.append(Line2D([], [], color="#c0392b", ls="--", label="limit"))
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
        return svg(figure)


def _name_cores(axes: Axes, mapping: ChipMap) -> None:
    """Below the lowest panel: chip and place of each core, or only their number."""
    cores = mapping.cores
    if len(cores) <= NAMED_CORES:
        labels = [f"chip {core.chip}\n{core.column},{core.row}" for core in cores]
        axes.set_xticks(range(len(cores)), labels)
        axes.set_xlim(-0.8, max(3, len(cores)) - 0.2)
    axes.set_xlabel("core")


def event_raster(activity: ChipActivity) -> str:
    """SVG text: a dot for each event of one sample, neuron against tick, a panel for each phase."""
    sizes = activity.populations
    colours = population_colours(list(sizes))
    firsts = np.cumsum([0, *sizes.values()])
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 3.4), layout="constrained")
        panels = figure.subplots(1, len(activity.phases), sharey=True, squeeze=False).ravel()
        for axes, phase in zip(panels, activity.phases, strict=True):
            points = np.array(phase.raster, dtype=np.int64).reshape(-1, 2)
            for k, name in enumerate(sizes):
                own = (points[:, 1] >= firsts[k]) & (points[:, 1] < firsts[k + 1])
                label = name if axes is panels[0] else None
                axes.scatter(*points[own].T, s=4, color=colours[name], label=label, linewidths=0)
            for first in firsts[1:-1]:
                axes.axhline(first - 0.5, color="0.7", lw=0.6)
            _ticks(axes, phase.phase, int(points[:, 0].max(initial=1)))
            axes.set_ylim(-1, firsts[-1])
        panels[0].set_ylabel("neuron")
        figure.legend(loc="outside lower center", ncols=len(sizes), markerscale=3)
        return svg(figure)


def phase_activity(activity: ChipActivity) -> str:
    """SVG text: events an image in each tick by population, stacked, a panel for each phase."""
    colours = population_colours(list(activity.populations))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 2.8), layout="constrained")
        panels = figure.subplots(1, len(activity.phases), sharey=True, squeeze=False).ravel()
        for axes, phase in zip(panels, activity.phases, strict=True):
            ticks = max((len(counts) for counts in phase.events.values()), default=0)
            below = np.zeros(ticks)
            for name, counts in phase.events.items():
                label = name if axes is panels[0] else None
                place = np.arange(1, ticks + 1)
                axes.bar(place, counts, bottom=below, width=0.9, color=colours[name], label=label)
                below += counts
            _ticks(axes, phase.phase, ticks)
        panels[0].set_ylabel("events per image")
        figure.legend(loc="outside lower center", ncols=len(colours))
        return svg(figure)


def _ticks(axes: Axes, phase: str, ticks: int) -> None:
    axes.set_title(f"{phase} phase", loc="left")
    axes.set_xlabel("tick")
    axes.set_xlim(0.3, max(2, ticks) + 0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))

"""A picture of the core map: the grid of every chip, coloured by population and fill."""

from pathlib import Path

from matplotlib import colormaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from toreq_hw.files import replacing
from toreq_hw.lava_backend.mapper.mapping import Mapping


def draw_map(mapping: Mapping, path: Path) -> None:
    """Writes a PNG: one grid a chip; a core's fill is its fullest limit, in per cent."""
    columns, rows = (mapping.chip.counts[k] for k in ("grid_columns", "grid_rows"))
    wide = min(mapping.chips_used, 3)
    high = -(-mapping.chips_used // wide)
    figure = Figure(figsize=(0.42 * columns * wide + 1, 0.42 * rows * high + 1.4))
    FigureCanvasAgg(figure)
    axes = figure.subplots(high, wide, squeeze=False).ravel()
    names = list(dict.fromkeys(core.population for core in mapping.cores))
    colours = {name: colormaps["tab10"](k % 10) for k, name in enumerate(names)}
    for number, ax in enumerate(axes):
        ax.set(xlim=(0, columns), ylim=(rows, 0), aspect="equal", xticks=[], yticks=[])
        ax.set_visible(number < mapping.chips_used)
        ax.set_title(f"{mapping.chip.name}, chip {number}", fontsize=9)
        for place in range(columns * rows):
            row, column = divmod(place, columns)
            ax.add_patch(Rectangle((column, row), 1, 1, fill=False, ec="0.85", lw=0.5))
    for core in mapping.cores:
        fill = max(core.percent.values())
        height = min(fill, 100) / 100
        corner = (core.column, core.row + 1 - height)
        colour = colours[core.population]
        axes[core.chip].add_patch(Rectangle(corner, 1, height, fc=colour, alpha=0.75))
        middle = (core.column + 0.5, core.row + 0.55)
        axes[core.chip].annotate(f"{fill:.0f}", middle, ha="center", va="center", fontsize=6)
    handles = [Patch(fc=colours[name], alpha=0.75, label=name) for name in names]
    figure.legend(handles=handles, loc="lower center", ncols=len(names), fontsize=8)
    figure.suptitle("Neurocores in use; number: fullest limit of the core, %", fontsize=9)
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi=110)

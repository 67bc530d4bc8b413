"""Boards, and the way from a network to a bitstream and its records (docs/boards.md).

from toreq_hw import boards
record = boards.synthesise(boards.Request.of(net, "icebreaker", seeds=1))
record.met, record.resources.lut4, record.fmax_max_mhz
"""

from typing import TYPE_CHECKING

from toreq_hw.lazy_names import lazy_names

if TYPE_CHECKING:
    from toreq_hw.boards.board import Board, Family
    from toreq_hw.boards.fit.check import check_fit
    from toreq_hw.boards.flow.synthesis import Learning, Request, synthesise
    from toreq_hw.boards.link.host import BoardLink
    from toreq_hw.boards.programming import program
    from toreq_hw.boards.registry import get, names

__all__ = [
    "Board",
    "BoardLink",
    "Family",
    "Learning",
    "Request",
    "check_fit",
    "get",
    "names",
    "program",
    "synthesise",
]

__getattr__ = lazy_names(
    __name__,
    {
        "board": ("Board", "Family"),
        "fit.check": ("check_fit",),
        "flow.synthesis": ("Learning", "Request", "synthesise"),
        "link.host": ("BoardLink",),
        "programming": ("program",),
        "registry": ("get", "names"),
    },
    extra="boards",
)

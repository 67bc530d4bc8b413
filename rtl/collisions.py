"""Tells Yosys which memories need no care where a word is read in the cycle that writes it.

Amaranth says of every read port that it gives the old word then, or the new one. No block RAM of an
iCE40 does either by itself, and so Yosys builds registers and switches around it. A memory with the
attribute `no_rw_check` (`MemorySpec.collides`) never uses what it reads in such a cycle.
"""

import re

_MODULE = re.compile(r"^module .*?^end$", re.MULTILINE | re.DOTALL)
_MEMORY = re.compile(
    r"^  attribute \\no_rw_check 1\n(?:  attribute .*\n)*  memory .* (\\\S+)$", re.MULTILINE
)
_READ = re.compile(r"^  cell \$memrd_v2 .*?^  end$", re.MULTILINE | re.DOTALL)


def with_free_collisions(rtlil: str) -> str:
    """The same design in RTLIL text, reads of such memories left open where they collide."""
    return _MODULE.sub(_open_module, rtlil)


def _open_module(module: re.Match[str]) -> str:
    memories = set(_MEMORY.findall(module[0]))
    if not memories:
        return module[0]

    def open_port(cell: re.Match[str]) -> str:
        found = re.search(r'parameter \\MEMID "\\(\\\S+)"', cell[0])
        if found is None or found[1] not in memories:
            return cell[0]
        return re.sub(r"(parameter \\COLLISION_X_MASK \d+')0+$", _ones, cell[0], flags=re.MULTILINE)

    return _READ.sub(open_port, module[0])


def _ones(mask: re.Match[str]) -> str:
    width = int(mask[1].split()[-1].rstrip("'"))
    return mask[1] + "1" * width

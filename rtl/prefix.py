"""Names of one export: two of them stand in one design where their prefixes differ."""

import re

TOREQ = "toreq"
"""The prefix of all names where none is asked for."""

_MOST_LETTERS = 40
PREFIX = re.compile(rf"[a-z][a-z0-9_]{{0,{_MOST_LETTERS - 1}}}")
"""What a prefix must be: the beginning of a name in Verilog, C, Python and FuseSoC."""

_NAMES = re.compile(r"(?<![A-Za-z0-9_])(toreq|TOREQ)_(?!hw\b)")


def with_prefix(text: str, prefix: str) -> str:
    """Modules `toreq_core` and macros `TOREQ_STATUS` become those of `prefix`; `toreq_hw` stays."""
    if prefix == TOREQ:
        return text
    return _NAMES.sub(lambda m: f"{prefix if m[1] == TOREQ else prefix.upper()}_", text)

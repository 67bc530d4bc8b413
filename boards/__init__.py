"""Boards, one declarative file each: none is here yet; `toreq-hw rtl` writes the core they need."""

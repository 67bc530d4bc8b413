"""Boards, and the way from a network to a bitstream and its records (docs/boards.md)."""

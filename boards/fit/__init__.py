"""Whether a network has room on a board, and what would."""

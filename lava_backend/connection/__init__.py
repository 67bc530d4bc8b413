"""One direction of a coupling for many samples at once. Lava runs every file here."""

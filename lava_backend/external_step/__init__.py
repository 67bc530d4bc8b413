"""Presents samples and calls ticks, for ever. Lava runs every file here to find models."""

"""Presents samples and ends phases that settled. Lava runs every file here to find models."""

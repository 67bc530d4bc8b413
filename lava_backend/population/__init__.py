"""Relaxing neurons. Lava finds models by running every file here, so it holds nothing else."""

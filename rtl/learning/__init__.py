"""LEARN, the third walk: it updates latents where they lie, after the two nudged phases."""

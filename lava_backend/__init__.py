"""Neuromorphic deployment: Lava's model of Loihi 2, Nengo, nengo-loihi, NIR, and the mapper.

Nothing here ran on silicon. These are software models of neuromorphic chips, checked bit for bit
against the simulator. The mapper says what a chip would have to hold.
"""

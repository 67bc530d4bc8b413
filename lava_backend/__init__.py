"""Neuromorphic deployment: Lava's model of Loihi 2, Nengo, nengo-loihi, NIR, and the mapper.

Nothing here ran on silicon: these are software models of neuromorphic chips, checked bit for
bit against the simulator, and a mapper that says what a chip would have to hold.
"""

"""Wrappers around a core for other people's designs: named ports, AXI, Wishbone."""

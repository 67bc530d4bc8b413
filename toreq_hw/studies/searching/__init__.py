"""Searching for networks and cores: the space, the rungs, and what is kept between them."""

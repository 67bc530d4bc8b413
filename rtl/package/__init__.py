"""A core as a folder for other people's designs: bench, constraints, build files, views."""

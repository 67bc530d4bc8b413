"""From a design to a bitstream: stages, tools, and one record of it all."""

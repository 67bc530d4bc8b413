"""Studies: what is run, under which control, and what it says."""

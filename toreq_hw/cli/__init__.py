"""What commands share: the screen, options and their values, files, names of runs, how they end."""

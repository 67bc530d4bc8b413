"""`python -m toreq_hw` is the console script `toreq-hw`."""

from toreq_hw.commands import main

main()

"""`python -m toreq_hw.deploy`: the same as `toreq-hw deploy`."""

from toreq_hw.commands import run
from toreq_hw.commands.deploy import command

if __name__ == "__main__":
    run(command, None, "python -m toreq_hw.deploy")

"""The Observatory: a network that settles, learns, breaks and relearns, as pictures of its ticks.

A `Recording` watches phases. `frame` makes a picture of any tick of it; films and the page
in the browser show the same pictures.
"""

from toreq_hw.observatory.panels import Plan, plan_of
from toreq_hw.observatory.picture import frame
from toreq_hw.observatory.recording import Recording

__all__ = ["Plan", "Recording", "frame", "plan_of"]

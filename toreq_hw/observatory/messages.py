"""What a page may ask of its session: texts of JSON, each one of these commands."""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from toreq_hw.errors import InputError
from toreq_hw.observatory.breaking import Painted, layer
from toreq_hw.observatory.loop_gain import Settings
from toreq_hw.observatory.watched import Watched

MOST_CHARACTERS = 1 << 17
"""Of a message: the pixels of the largest image that a data set here has, and more."""

Count = Annotated[int, Meta(ge=0, le=1 << 24)]
Name = Annotated[str, Meta(max_length=64)]


class Message(Struct, tag_field="do", forbid_unknown_fields=True):
    """One command; `do` names its kind."""


class Change(Message):
    """A command that changes the network of the tab, or what is viewed of it."""

    def apply(self, live: Watched) -> None:
        """Carries it out. Raises InputError or NetworkError for what cannot be done."""
        raise NotImplementedError


class Seen(Message, tag="seen"):
    """The page has shown frame `number`: the next one may come."""

    number: Count


class Present(Change, tag="present"):
    """Shows test image `sample` to the network at rest."""

    sample: Count

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.present(self.sample)


class Pixels(Change, tag="pixels"):
    """Shows an image that was painted with the mouse: pixels 0..255, row by row."""

    values: Annotated[list[Annotated[int, Meta(ge=0, le=255)]], Meta(max_length=1 << 15)]

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.present_pixels(self.values)


class Step(Change, tag="step"):
    """Moves the view by one tick, sweep or event, forwards or back."""

    unit: Name
    back: bool = False

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.viewer.back(self.unit) if self.back else live.viewer.advance(self.unit)


class Show(Change, tag="show"):
    """Moves the view to a tick that is kept."""

    phase: Count
    tick: Count

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.viewer.show(self.phase, self.tick)


class Play(Message, tag="play"):
    """Goes on by itself at so many ticks a second; 0 is as fast as it can."""

    rate: Annotated[float, Meta(ge=0, le=10_000)]


class Pause(Message, tag="pause"):
    """Stops playing and training."""


class Nudge(Change, tag="nudge"):
    """A nudged phase towards a class (sign 1) or away from it (sign -1)."""

    label: Count
    sign: Annotated[int, Meta(ge=-1, le=1)]

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.nudge(self.label, self.sign)


class Learn(Change, tag="learn"):
    """Learns the image that is shown, once, as this class."""

    label: Count

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.learn(self.label)


class Train(Message, tag="train"):
    """Learns training images at so many a second."""

    rate: Annotated[float, Meta(gt=0, le=100_000)]


class Forget(Change, tag="forget"):
    """Takes back all learning: the weights of the file."""

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.forget()


class Damage(Change, tag="damage"):
    """Adds a damage layer of the project."""

    kind: Name
    level: Annotated[float, Meta(ge=0, le=100)]
    place: Name = ""
    seed: Count = 0

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.add_break(layer(self.kind, self.level, self.place, self.seed))


class Paint(Change, tag="paint"):
    """Damages neurons of a population: dead, stuck or flipped."""

    population: Name
    neurons: Annotated[list[Count], Meta(min_length=1, max_length=4096)]
    what: Name

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.add_break(Painted(self.population, tuple(self.neurons), self.what))


class Undo(Change, tag="undo"):
    """Takes back the last damage."""

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.undo()


class Repair(Change, tag="repair"):
    """Takes back all damage."""

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.repair()


class Couplings(Change, tag="couplings"):
    """Scales the couplings, sets the schedule and the feedback."""

    gain: Annotated[float, Meta(ge=0, le=16)]
    schedule: Name = ""
    own_feedback: bool = False

    def apply(self, live: Watched) -> None:
        """As every change."""
        live.configure(Settings(self.gain, self.schedule, self.own_feedback))


class Machine(Message, tag="machine"):
    """Runs the same image on another machine, beside the simulator; `fault` breaks a neuron."""

    name: Name
    fault: bool = False


Command = (
    Seen
    | Present
    | Pixels
    | Step
    | Show
    | Play
    | Pause
    | Nudge
    | Learn
    | Train
    | Forget
    | Damage
    | Paint
    | Undo
    | Repair
    | Couplings
    | Machine
)

_DECODER = msgspec.json.Decoder(Command)


def parse(text: str) -> Command:
    """The command of a message. Raises InputError for what is none."""
    if len(text) > MOST_CHARACTERS:
        raise InputError(
            f"a message must have at most {MOST_CHARACTERS} characters, found {len(text)}"
        )
    try:
        command: Command = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InputError(f"a message must be a known command, found: {error!s:.120}") from error
    return command

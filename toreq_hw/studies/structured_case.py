"""One network of the study `structured`, or of one like it, and the settings of its training."""

from dataclasses import dataclass, replace

from toreq_hw.data import Dataset
from toreq_hw.network import ClampedReadout, FeedbackKind, Network, WeightFormat, build
from toreq_hw.network.description import Skip
from toreq_hw.sim.learning import Rule
from toreq_hw.sim.learning.recipes import DECAY, decay_epochs


@dataclass(frozen=True, kw_only=True)
class Case:
    """One network, its data set and its training.

    image: sizes of the input. layers, fraction_bits, feedback_shifts: as `build` takes them.
    temperature: of the clamped readout, None for a relaxing one. rows: its classes a sample. shift,
    output_shift, bias_shift: k of all couplings but the last, of the last, of biases.
    channel_bias_shift: of biases that channels share. at_least: accuracy that is asked for.
    skips: (layer, layer, fraction bits) of dense couplings past a layer, the input is 0.
    layer_shifts: k of each coupling, those of layers first, in place of shift and output_shift.
    mirror: whether about half of the training images are turned left to right in each epoch.
    images: only the first so many training images.
    """

    name: str
    data: str
    image: str
    layers: tuple[str, ...]
    weights: WeightFormat
    fraction_bits: tuple[int, ...]
    feedback_shifts: tuple[int, ...]
    temperature: tuple[int, int] | None
    shift: int
    output_shift: int
    bias_shift: int
    channel_bias_shift: int
    epochs: int
    augment: int = 0
    mirror: bool = False
    initial_reach: int = 6000
    feedback: FeedbackKind = FeedbackKind.SYMMETRIC
    published: str = ""
    at_least: float | None = None
    input_bits: int = 8
    rows: int = 1
    theta: int = 4096
    beta_shift: int = 0
    skips: tuple[tuple[int, int, int], ...] = ()
    layer_shifts: tuple[int, ...] = ()
    images: int | None = None

    def dataset(self, whole: Dataset) -> Dataset:
        """What it is trained and tested on, of its whole data set."""
        return whole if self.images is None else whole.first(self.images)

    def with_feedback(self, shift: int, drive: int) -> "Case":
        """The case with this feedback shift between hidden layers, and this drive of its readout;
        a relaxing output has the shift too.
        """
        last = -drive if self.temperature else shift
        between = (shift,) * (len(self.layers) - 2)
        return replace(self, feedback_shifts=(0, *between, last))

    def network(self) -> Network:
        """The blank network."""
        return build(
            self.image,
            self.layers,
            weight_format=self.weights,
            fraction_bits=self.fraction_bits,
            feedback_shifts=self.feedback_shifts,
            feedback=self.feedback,
            skips=[Skip(*skip) for skip in self.skips],
            readout=ClampedReadout(self.temperature, rows=self.rows) if self.temperature else None,
            input_bits=self.input_bits,
            beta_shift=self.beta_shift,
        )

    def rule(self, network: Network) -> Rule:
        """The rule of its training. network: `network()`."""
        last = [p.coupling.name for p in network.into(network.output.name) if not p.backward]
        names = [coupling.name for coupling in network.couplings]
        own = dict(zip(names, self.layer_shifts, strict=False))
        shared = [p.name for p in network.relaxing if p.bias_per_channel]
        return Rule(
            shift=self.shift,
            bias_shift=self.bias_shift,
            bias_shifts=dict.fromkeys(shared, self.channel_bias_shift),
            theta=self.theta,
            initial_reach=self.initial_reach,
            shifts=own or dict.fromkeys(last, self.output_shift),
            decay_epochs=decay_epochs(DECAY, self.epochs),
        )

    @property
    def settings(self) -> str:
        """What a table says of it."""
        readout = "squared error"
        if self.temperature:
            readout = "clamped, T {}/{}".format(*self.temperature)
        own = f", {self.feedback.value} feedback" if self.feedback.value != "symmetric" else ""
        moved = f", moved by {self.augment} px" if self.augment else ""
        moved += ", mirrored" if self.mirror else ""
        few = f" of {self.images:,} images" if self.images else ""
        rates = f"k {self.shift}, last {self.output_shift}"
        if self.layer_shifts:
            rates = f"k {' '.join(map(str, self.layer_shifts))}"
        return (
            f"{readout}; {rates}, biases {self.bias_shift}{own}; {self.epochs} epochs{few}{moved}"
        )

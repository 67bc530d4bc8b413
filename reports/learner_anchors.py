"""What others have published of learning on chips, to be read beside our own learners."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LearnerAnchor:
    """A published learner. accuracy: in per cent on MNIST, "-" where none is stated. sample: time
    and energy of a training sample, as stated. convention: in what its figures are not like ours.
    """

    name: str
    device: str
    accuracy: str
    sample: str
    convention: str


LEARNERS = (
    LearnerAnchor(
        "backpropagation in spikes",
        "Loihi",
        "96.3",
        "1.5 ms, 0.59 mJ",
        "an ASIC; time and energy measured on it; the published chip's power, not a model",
    ),
    LearnerAnchor(
        "EM-STDP",
        "Loihi",
        "94.7",
        "20 ms, 8.4 mJ",
        "an ASIC; measured on it",
    ),
    LearnerAnchor(
        "CLP-SNN",
        "Loihi 2",
        "-",
        "0.33 ms, 0.05 mJ",
        "an ASIC; continual learning of OpenLORIS features, not MNIST; measured",
    ),
    LearnerAnchor(
        "SPOON",
        "ASIC",
        "95.3",
        "not stated; 0.37 uJ an inference",
        "energy of an inference, not of a training sample",
    ),
    LearnerAnchor(
        "Park et al.",
        "ASIC",
        "98.1",
        "not stated; 0.25 uJ an inference",
        "energy of an inference, not of a training sample",
    ),
    LearnerAnchor(
        "Spiker-LL",
        "FPGA, vendor flow",
        "up to 93",
        "not stated",
        "under 5,000 LUT, no DSP; second-hand",
    ),
    LearnerAnchor(
        "forward-forward",
        "Zedboard, vendor flow",
        "90.5",
        "not stated",
        "a processor beside the fabric",
    ),
    LearnerAnchor("Boltzmann machine", "FPGA, vendor flow", "90", "not stated", "-"),
)
"""Figures as published, rounded as they are quoted; not measured here."""

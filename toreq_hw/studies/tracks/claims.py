"""Every claim of the research prototype, as it was published, in the order of its tracks."""

from collections.abc import Mapping
from types import MappingProxyType

Ids = tuple[str, ...]

CLAIMS: Mapping[Ids, str] = MappingProxyType(
    {
        ("1",): "Spectral normalisation keeps L <= 1 (10.97 without) and is indispensable.",
        ("2", "25"): "EqProp is on a par with backpropagation on five tasks.",
        ("3",): "Noise is damped to 0 during relaxation.",
        ("4",): "Ternary weights: 47 % zeros without loss.",
        ("5",): "A 6x6x6 cube learns as well as flat nets with 87.5 % fewer connections; it grows "
        "and prunes.",
        ("6",): "Random feedback learns.",
        ("7",): "Limit cycles carry information over time.",
        ("8",): "Homeostasis brings L from 1.75 below 1.",
        ("9",): "Gradients align (recurrent ones at -0.617, called expected).",
        ("10", "26"): "Training takes O(1) memory.",
        ("11", "23", "31"): "Nets of 100 to 1000 layers learn, and residual couplings help.",
        ("12", "24"): "97 % of operations are skipped (at 0 to 9 % accuracy, 0.23x wall-clock).",
        ("13",): "Convolutions work (on noisy shapes); 19 % on CIFAR-10.",
        ("14",): "Attention: reversal 99.9 %, sum 84 %, characters 100 % (with a leak).",
        ("15", "22"): "The kernel equals PyTorch to 1e-7.",
        ("16",): "Networks are robust to INT8.",
        ("17",): "5 % analog noise in every update is harmless.",
        ("18",): "Learning minimises free energy; an efficiency of 26.89.",
        ("19",): "Networks operate at the edge of chaos.",
        ("20",): "Transfer reaches 100 %.",
        ("21",): "0 % forgetting (the log said -88 %).",
        ("28",): "More robust to input noise (the log said less).",
        ("29",): "The energy falls monotonically.",
        ("30",): "After 50 % damage 100 % is retained (the mask had no effect).",
        ("32",): "From class to image: 5 of 5 classes.",
        ("beta",): "A fixed beta of 0.22 is best; annealing collapses at epoch 14.",
        ("blocks",): "Recursive, modern and toroidal blocks learn.",
        ("text",): "Proverbs are learned to 100 %; sentiment was planned.",
    }
)
"""By the numbers of a track; what has no number there has a word."""

"""Data sets: real images with a fixed split, and their encoding into input states.

from toreq_hw import data
digits = data.load("digits")
digits.test.images.shape, digits.test.labels
"""

from toreq_hw.data.dataset import Dataset, Split, encode, input_states
from toreq_hw.data.idx import read_idx
from toreq_hw.data.in_memory import is_in_memory, of_arrays
from toreq_hw.data.own import Spec
from toreq_hw.data.sources import NAMES, OWN, SEQUENCES, load, load_training, loader

__all__ = [
    "NAMES",
    "OWN",
    "SEQUENCES",
    "Dataset",
    "Spec",
    "Split",
    "encode",
    "input_states",
    "is_in_memory",
    "load",
    "load_training",
    "loader",
    "of_arrays",
    "read_idx",
]

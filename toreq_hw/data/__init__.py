"""Data sets: real images with a fixed split, and their encoding into input states.

from toreq_hw import data
digits = data.load("digits")
digits.test.images.shape, digits.test.labels
"""

from toreq_hw.data.dataset import Dataset, Split, encode
from toreq_hw.data.idx import read_idx
from toreq_hw.data.sources import NAMES, SEQUENCES, load, loader

__all__ = ["NAMES", "SEQUENCES", "Dataset", "Split", "encode", "load", "loader", "read_idx"]

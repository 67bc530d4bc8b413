"""How many bytes a training sample takes on the line between host and board."""

import numpy as np

from toreq_hw import data
from toreq_hw.boards.link import requests
from toreq_hw.boards.link.identity import Identity
from toreq_hw.boards.link.protocol import SAMPLE_BYTES, Frame, Request
from toreq_hw.data import Dataset
from toreq_hw.network import Population, Role
from toreq_hw.records.learning import LinkLoad
from toreq_hw.rtl.parameters import CoreParameters
from toreq_hw.sim.learning.augmentation import shift_images

SAMPLES = 1000
"""The first ones of the data set, as the first epoch moves them."""


def link_load(parameters: CoreParameters, dataset: Dataset, augment: int) -> LinkLoad:
    """Means of whole frames, but for escapes in answers, which data decide.

    augment: pixels by which images are moved.
    """
    room = Identity.of(parameters, 1_000_000).request_bytes
    placed = parameters.input
    pixels = Population(placed.name, placed.size, Role.INPUT, placed.state_bits)
    inputs = data.encode(dataset.train.images[:SAMPLES], dataset.pixel_max, pixels)
    sent = answered = 0
    for number, image in enumerate(shift_images(inputs, dataset.shape, augment, seed=1, epoch=0)):
        label = int(np.ravel(dataset.train.labels[number])[0])
        parts, last = requests.train(image, label, number, parameters, room)
        frames = [*(Frame(0, Request.IMAGE, part) for part in parts), Frame(0, Request.TRAIN, last)]
        answers = [bytes(1)] * len(parts) + [bytes(1 + sum(SAMPLE_BYTES))]
        sent += sum(len(frame.encode()) for frame in frames)
        answered += sum(len(Frame(0, Request.TRAIN, answer).encode()) for answer in answers)
    return LinkLoad(sent / len(inputs), answered / len(inputs))

"""What continual learning keeps by: dreams, couplings that stay, and steps that halve."""

import numpy as np
import pytest

from toreq_hw import data
from toreq_hw.network import Network
from toreq_hw.sim.learning.consolidation import STILL
from toreq_hw.studies.tracks import continual, remembering
from toreq_hw.studies.tracks.measuring import in_other_order
from toreq_hw.studies.tracks.subsets import few_of_each
from toreq_hw.training import train


@pytest.fixture(scope="module")
def net() -> Network:
    return train("digits", hidden=(24,), weights="int8", epochs=4, verbose=0).network


def test_dreams_are_images_of_their_classes_and_differ(net: Network) -> None:
    whole = data.load("digits")
    found = remembering.dreams(net, whole, [3, 7], 5, seed=1)
    assert np.array_equal(found.train.labels, [3] * 5 + [7] * 5)
    images = found.train.images
    assert images.shape == (10, 64)
    assert images.max() <= whole.pixel_max
    assert images.dtype == whole.train.images.dtype
    assert len({image.tobytes() for image in images}) > 5
    again, other = (remembering.dreams(net, whole, [3, 7], 5, seed=seed) for seed in (1, 2))
    assert np.array_equal(images, again.train.images)
    assert not np.array_equal(images, other.train.images)
    assert len(found.test) == len(whole.test)


def test_only_couplings_from_the_input_stay(net: Network) -> None:
    few = in_other_order(few_of_each(data.load("digits"), 5, 1), 1)
    after = remembering.learned(few, net, 1, 2, remembering.still(net))
    same = [
        np.array_equal(old.parameters, new.parameters)
        for old, new in zip(net.couplings, after.couplings, strict=True)
    ]
    assert same == [True, False]
    far = remembering.moves(net, after)
    assert far["input-hidden"].max() == 0 < far["hidden-output"].max()


def test_steps_halve_with_each_doubling() -> None:
    moved = {"a": np.array([[0, 1, 2, 3], [4, 100, 255, 100000]])}
    found = remembering.stiffened(moved, softness=0)["a"]
    assert found.tolist() == [[0, 1, 2, 2], [3, 7, 8, remembering.MOST]]
    softer = remembering.stiffened(moved, softness=2)["a"]
    assert softer.tolist() == [[0, 0, 0, 0], [1, 5, 6, remembering.MOST]]
    assert remembering.MOST < STILL


def test_the_beginning_is_where_a_training_starts() -> None:
    whole = few_of_each(data.load("digits"), 1, 1)
    first = remembering.beginning(whole, 24, 5)
    trained = train(whole, hidden=(24,), weights="int8", epochs=0, seed=5, verbose=0).network
    for one, other in zip(first.couplings, trained.couplings, strict=True):
        assert np.array_equal(one.parameters, other.parameters)
        assert one.parameters.any()


def test_every_way_of_keeping_is_named_in_the_verdict() -> None:
    assert set(continual.WAYS) == {
        continual.PLAIN,
        continual.JOINT,
        *continual.KEEPING,
        *continual.CONTROLS,
    }

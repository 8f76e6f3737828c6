import numpy as np
import pytest

from MotionQALib.heart_centre import heart_centre
from MotionQALib.preprocessing import LOCATORS, Preprocessing
from MotionQALib.volumes import Volume
from MotionQATrainerLib.simulation.phantom import Phantom

SPACING = (8.0, 1.6, 1.6)


@pytest.fixture(scope="module")
def person():
    """A heart 55 mm off the image's middle: the left ventricle's place, and the images."""
    phantom = Phantom(seed=90, n_slices=6, shape=(200, 220), spacing=SPACING, noise=0.01)
    heart = np.argwhere(phantom.heart_mask() >= 2)[:, 1:].mean(0)
    images = np.pad(phantom.volume(), ((0, 0), (70, 0), (0, 0)))[:, :200]
    return images, np.add(heart, (70, 0))


def off(centre, heart):
    return float(np.hypot(*((np.array(centre) - heart) * SPACING[1:])))


@pytest.mark.parametrize("locator", LOCATORS)
def test_a_heart_off_the_middle_is_found_in_a_single_frame(person, locator):
    images, heart = person
    middle = (np.array(images.shape[1:]) - 1) / 2
    assert off(middle, heart) > 50
    assert off(heart_centre(Volume(images, SPACING), locator), heart) < 25
    assert off(heart_centre(Volume(images[2:3], SPACING), locator), heart) < 35


def test_brightness_and_orientation_do_not_matter(person):
    images, heart = person
    bright = heart_centre(Volume(images * 37.0, SPACING))
    assert off(bright, heart_centre(Volume(images, SPACING))) < 1
    flipped = heart_centre(Volume(images[:, ::-1].copy(), SPACING))
    assert off(flipped, (images.shape[1] - 1 - heart[0], heart[1])) < 35


def test_a_locator_that_is_not_there_is_refused():
    with pytest.raises(ValueError, match="locator"):
        Preprocessing(locator="crystal ball")

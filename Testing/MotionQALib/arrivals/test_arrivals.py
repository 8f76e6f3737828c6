"""When a series is complete and at rest, and what it is taken for."""

import pytest

from cine_objects import identifying_words, series
from MotionQALib.arrivals.arrivals import Arrivals
from MotionQALib.arrivals.arriving_series import ArrivingSeries
from MotionQALib.arrivals.image_facts import ImageFacts


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def arrivals(clock):
    return Arrivals(quiet=5, patience=60, clock=clock)


def facts(**options):
    return [ImageFacts.of(data) for data in series(**options)]


def of(images):
    gathered = ArrivingSeries(images[0].series)
    for image in images:
        gathered.add(image)
    return gathered


def test_a_complete_series_is_due_once_it_is_quiet(arrivals, clock):
    images = facts()
    for image in images:
        arrivals.add(image)
        clock.now += 1
    assert arrivals.due() == []
    clock.now += 4.5
    (due,) = arrivals.due()
    assert (due.uid, len(due.images), due.missing()) == (images[0].series, 9, None)
    assert arrivals.due() == [] and arrivals.overdue() == []


def test_an_image_that_comes_twice_changes_nothing(arrivals, clock):
    for image in facts():
        arrivals.add(image)
    clock.now += 4
    arrivals.add(facts()[0])
    clock.now += 2
    assert len(arrivals.due()) == 1
    arrivals.add(facts()[0])
    clock.now += 10
    assert arrivals.due() == []


def test_late_images_make_a_series_due_again(arrivals, clock):
    images = facts(slices=4)
    early = [image for image in images if image.frames[0].place != images[-1].frames[0].place]
    for image in early:
        arrivals.add(image)
    clock.now += 6
    before = arrivals.due()[0].content
    for image in images[len(early) :]:
        arrivals.add(image)
    clock.now += 6
    (again,) = arrivals.due()
    assert again.content != before


def test_a_half_sent_series_is_said_once_and_due_when_it_is_complete(arrivals, clock):
    images = facts()
    for image in images[:-1]:
        arrivals.add(image)
    clock.now += 30
    assert arrivals.due() == [] and arrivals.overdue() == []
    clock.now += 31
    ((_, missing),) = arrivals.overdue()
    assert missing == "Slice 2 has 2 of 3 phases."
    assert arrivals.overdue() == []
    arrivals.add(images[-1])
    clock.now += 6
    assert len(arrivals.due()) == 1


def test_wait_says_when_to_look_again(arrivals, clock):
    assert arrivals.wait() is None
    arrivals.add(facts()[0])
    assert arrivals.wait() == 5
    clock.now += 4
    assert arrivals.wait() == 1
    clock.now += 2
    assert arrivals.wait() == 54


@pytest.mark.parametrize(
    ("drop", "missing"),
    [
        ({0}, "Slice 0 has 2 of 3 phases."),
        ({2, 5, 8}, "Slice 0 has 2 of 3 phases and 2 more slices lack images."),
        ({3, 4, 5}, "3 of 9 images have not arrived."),
        (set(), None),
    ],
)
def test_what_is_missing_is_said(drop, missing):
    images = [image for number, image in enumerate(facts()) if number not in drop]
    assert of(images).missing() == missing


def test_a_missing_slice_shows_where_images_are_not_numbered():
    images = facts(slices=6, InstanceNumber=0)
    assert of(images).missing() is None
    assert of(images[:6] + images[9:]).missing() == "A slice is missing between slices 1 and 2."


def test_the_content_key_depends_on_the_images_and_not_on_their_order():
    images = facts()
    assert of(images).content == of(images[::-1]).content != of(images[1:]).content


@pytest.mark.parametrize(
    ("options", "is_it"),
    [
        ({"description": "tf2d14_retro_iPAT_sax_7"}, True),
        ({"description": "CINE short axis", "slices": 1}, True),
        ({"description": "fiesta stack"}, True),  # by the way its slices lie
        ({"description": "fiesta", "slices": 1}, False),
        ({"description": "cine_4ch"}, False),
        ({"description": "LVOT cine"}, False),
        ({"description": "sax", "phases": 1}, False),
        ({"description": "sax", "ImageType": ["ORIGINAL", "PRIMARY", "P"]}, False),
        ({"description": "x", "ImageOrientationPatient": [1, 0, 0, 0, 1, 0]}, False),
    ],
)
def test_short_axis_cine_is_told_from_other_series(options, is_it):
    reason = of(facts(**options)).why_not_short_axis_cine()
    assert (reason is None) == is_it, reason


def test_names_typed_into_a_description_are_left_out():
    image = facts(description="sax AMADEA quellenhofer PID-4471983 rep")[0]
    assert image.description == "sax rep"
    assert not any(word in repr(image).casefold() for word in identifying_words())

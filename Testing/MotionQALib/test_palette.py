"""Colours that everyone can tell apart."""

from itertools import combinations

import numpy as np
import pytest

from MotionQALib.palette import GRADE_COLOURS, RELEVANCE, rgb
from MotionQALib.scale import Grade

# Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]
    ),
    "deuteranopia": np.array(
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]
    ),
    "tritanopia": np.array(
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]
    ),
}
TO_XYZ = np.array([[0.4125, 0.3576, 0.1804], [0.2127, 0.7152, 0.0722], [0.0193, 0.1192, 0.9503]])


def linear(colour):
    c = np.array(rgb(colour)) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(light):
    xyz = TO_XYZ @ np.clip(light, 0, 1) / np.array([0.9505, 1.0, 1.0888])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    low, high = sorted(float(TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_every_grade_has_a_colour():
    assert set(GRADE_COLOURS) == set(Grade)


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("part", ["fill", "on_dark"])
def test_grades_differ_for_every_eye(sight, part):
    seen = [lab(SIGHT[sight] @ linear(getattr(c, part))) for c in GRADE_COLOURS.values()]
    for one, other in combinations(seen, 2):
        assert np.linalg.norm(one - other) > 30  # a difference of 2 is just visible


@pytest.mark.parametrize("colour", GRADE_COLOURS.values())
def test_words_can_be_read(colour):
    assert contrast(colour.fill, colour.text) >= 4.5
    assert contrast(colour.on_dark, "#101317") >= 4.5


def test_relevance_gets_lighter_all_the_way():
    lightness = [lab(linear(colour))[0] for _, colour in RELEVANCE]
    assert np.all(np.diff(lightness) > 10)
    assert [position for position, _ in RELEVANCE] == sorted(p for p, _ in RELEVANCE)

"""The stress table, with a stand-in that grades by what the table knows of each volume."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from MotionQALib.familiarity import REMARK
from MotionQALib.preprocessing import Preprocessing
from MotionQALib.scale import GRADE_OF_SCORE, Grade, median_score
from MotionQATrainerLib.evaluation import stress
from MotionQATrainerLib.simulation.simulator import Ordering


@dataclass(frozen=True)
class Person:
    """A clean patient in memory."""

    name: str
    stacks: dict

    @property
    def phases(self):
        return {phase: (Path(f"{self.name}-{phase}.nii.gz"), 0) for phase in self.stacks}

    def read(self, phase):
        return self.stacks[phase], (10.0, 2.5, 2.5)

    def heart_centre(self, phase):
        return 47.0, 55.0

    def left_ventricles(self):
        return iter(())  # there are no masks


@dataclass(frozen=True)
class Graded:
    probabilities: np.ndarray
    remarks: tuple = ()
    volume_uncertain: bool = False

    @property
    def volume_probabilities(self):
        return self.probabilities[0].mean(0)

    @property
    def volume_grade(self):
        return Grade(int(GRADE_OF_SCORE[median_score(self.volume_probabilities) - 1]))


class StandIn:
    """Calls all volumes mild, or all with coarse pixels moderate; knows a patient by the name."""

    preprocessing = Preprocessing()
    tells_strangers = True

    def __init__(self, coarse_score=5):
        self.coarse_score = coarse_score

    def assess(self, volume):
        score = self.coarse_score if volume.spacing[1] >= 2.9 else 5
        p = np.tile(np.eye(5)[score - 1], (1, volume.n_slices, 1))
        known = volume.name.startswith("person")
        return Graded(p, () if known else (f"{REMARK}: do not rely on its grades.",))


@pytest.fixture(scope="module")
def people(phantom):
    stacks = {"ED": phantom.volume()[:2], "ES": phantom.volume(0.35)[:2]}
    return [Person("person1", stacks), Person("person22", stacks)]


@pytest.fixture(scope="module")
def found(people):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stress, "STRANGE", 22)
        steps = []
        lines = stress.stress(StandIn(3), people, progress=lambda *step: steps.append(step))
        assert steps[-1] == (5, 5)
        return {(line.tried, line.figure): line for line in lines}


def test_what_moved_a_grade_is_in_the_table_and_the_rest_is_nought(found):
    shares = {tried: line.value.value for (tried, figure), line in found.items()
              if figure == "volumes not called mild"}  # fmt: skip
    assert set(shares) == set(stress.NUISANCES)
    assert shares.pop("pixels of 3.0 mm") == 1
    assert set(shares.values()) == {0}
    assert found["pixels of 3.0 mm", "volumes not called mild"].count == 2


def test_every_order_of_lines_and_the_place_are_in_the_table(found):
    for ordering in Ordering:
        assert (f"{ordering.value} lines", "volumes: quadratic κ") in found
    for place in ("heart in the middle", "heart 60 mm off"):
        assert (place, "slices: quadratic κ") in found
    # Who calls everything mild finds nothing severe and says nothing of it.
    assert found["all motion", "severe volumes found"].value.value == 0
    assert found["all motion", "severe missed, not flagged"].value.value == 1


def test_strangers_are_told_and_patients_are_not(found):
    assert found["no hearts", "told"].value.value == 1
    assert found["these, all together", "slices called no heart"].value.value == 0


def test_off_the_middle_the_same_heart_is_shown(people):
    volumes = {}
    for shaken in stress.moved(people[0], np.random.default_rng(0)):
        volumes.setdefault(shaken.tried, shaken.volume)
    middle, off = volumes["heart in the middle"], volumes["heart 60 mm off"]
    assert middle.voxels.shape == off.voxels.shape
    assert middle.voxels.sum() == pytest.approx(off.voxels.sum(), rel=0.2)
    place = [np.argwhere(v.voxels[0, 0] > 200).mean(0) * 2.5 for v in (middle, off)]
    assert np.hypot(*(place[0] - place[1])) == pytest.approx(60, abs=6)


def test_the_table_has_a_line_each(found):
    lines = list(found.values())
    assert len(stress.table(lines).splitlines()) == len(lines) + 1
    assert stress.table(lines, "markdown").splitlines()[1] == "| --- | --- | --- | --- |"

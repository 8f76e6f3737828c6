"""Small studies: images of a few voxels, each with content of its own."""

import nibabel
import numpy as np
import pytest
from hypothesis import settings

from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import Case, listed
from MotionQALib.reading.scores import ScoreLog
from MotionQALib.reading.study import Study

settings.register_profile("patient", deadline=None)  # a busy machine is no failure
settings.load_profile("patient")


@pytest.fixture
def write_image():
    """Write a NIfTI file of 3 slices of 8 x 8 pixels; the number decides its voxels."""

    def write(path, number=0, slices=3):
        path.parent.mkdir(parents=True, exist_ok=True)
        voxels = np.random.default_rng(number).integers(0, 99, (8, 8, slices), dtype=np.int16)
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.0, 1.0, 5.0, 1.0])), path)
        return path

    return write


@pytest.fixture
def images(tmp_path, write_image):
    """CMRxMotion's names: three volunteers, four acquisitions each."""
    names = [f"P{person:03}-{take}-ED" for person in (1, 2, 3) for take in (1, 2, 3, 4)]
    for number, name in enumerate(names):
        write_image(tmp_path / "images" / f"{name}.nii.gz", number)
    return tmp_path / "images"


@pytest.fixture
def study(tmp_path):
    return Study.create(tmp_path / "study")


@pytest.fixture
def filled(study, images):
    """A study with the images in its list."""
    added = list(CaseList(study).add(listed(images)))
    assert all(a.new for a in added)
    return study


@pytest.fixture
def make_case():
    """A case without a file."""

    def case(key, *, subject="s", n_slices=3, batch=0):
        return Case(key, f"name of {key}", None, subject, 1, n_slices, batch)

    return case


@pytest.fixture
def read_as():
    """Score a study's cases: read_as(study, "anna", {"P001-1-ED": 4, …}), repeats by (name, 1)."""

    def read(study, reader, scores):
        keys = {case.name: case.key for case in CaseList(study).cases}
        with ScoreLog.open(study, reader) as log:
            for name, score in scores.items():
                name, repeat = name if isinstance(name, tuple) else (name, 0)
                log.save((keys[name], None, repeat), score, seconds=5.0)

    return read

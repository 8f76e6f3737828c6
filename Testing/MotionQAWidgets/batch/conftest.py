"""A small study on the disk, and the tab on it."""

from __future__ import annotations

import shutil

import nibabel
import numpy as np
import pytest

import cine_objects
from host import pythonqt

pythonqt(__name__)


@pytest.fixture(scope="session")
def study_files(tmp_path_factory):
    """A volume, a cine, a DICOM cine, and a file that is none; read only."""
    folder = tmp_path_factory.mktemp("study") / "study"
    folder.mkdir()
    rng = np.random.default_rng(3)
    for name, shape in (("still", (64, 72, 3)), ("cine", (64, 72, 2, 3))):
        image = nibabel.Nifti1Image(rng.integers(0, 900, shape).astype("int16"), np.eye(4))
        image.header.set_zooms((1.5, 1.5, 8, 0.05)[: len(shape)])
        nibabel.save(image, folder / f"{name}.nii.gz")
    cine_objects.save(cine_objects.series(2, 3, size=64), folder / "series")
    (folder / "broken.nii.gz").write_bytes(b"no image")
    return folder


@pytest.fixture
def study(study_files, tmp_path):
    """A copy for a test of its own."""
    return shutil.copytree(study_files, tmp_path / "study")


@pytest.fixture
def module(host):
    """The module on its tab *Batch*."""
    module = host.enter("MotionQA")
    module.tabs.show(module.batch)
    module.batch.source.path = module.batch.output.path = None
    yield module
    if module.batch.run is not None:
        module.batch.run.kill()
        module.batch.source.path = None  # of another folder, it forgets the batch
    module.tabs.show(module.panel)
    host.leave()

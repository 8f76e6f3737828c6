"""A small study on the disk, and the tab on it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from host import pythonqt

pythonqt(__name__)

ROOT = Path(__file__).resolve().parents[3]

STUDY = """
import sys
import numpy as np, nibabel, pydicom
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from MotionQAWidgets.dicom_files import save_cine
folder, rng = Path(sys.argv[1]), np.random.default_rng(3)
for name, shape in (("still", (64, 72, 3)), ("cine", (64, 72, 2, 3))):
    image = nibabel.Nifti1Image(rng.integers(0, 900, shape).astype("int16"), np.eye(4))
    image.header.set_zooms((1.5, 1.5, 8, 0.05)[: len(shape)])
    nibabel.save(image, folder / f"{name}.nii.gz")
save_cine(folder / "series", rng.integers(0, 900, (3, 2, 64, 72)))
(folder / "broken.nii.gz").write_bytes(b"no image")
"""


@pytest.fixture
def study(tmp_path):
    """A volume, a cine, a DICOM cine, and a file that is none."""
    folder = tmp_path / "study"
    folder.mkdir()
    subprocess.run(
        [sys.executable, "-c", STUDY, str(folder), str(ROOT / "Testing")], check=True, timeout=120
    )
    return folder


@pytest.fixture
def module(host):
    """The module on its tab *Batch*."""
    module = host.enter("MotionQA")
    module.tabs.show(module.batch)
    module.batch.source.path = module.batch.output.path = None
    yield module
    if module.batch.run is not None:
        module.batch.run.kill()
        module.batch._on_folder()
    module.tabs.show(module.panel)
    host.leave()

"""Grading by several processes of Ray, where it is installed."""

import importlib.util
import shutil
import sys

import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.assessment import Assessor
from MotionQALib.batch import BatchOptions
from MotionQALib.cluster import ClusterError, assess_on_cluster


def test_missing_ray_is_told_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'motionqa\[cluster\]'"):
        list(assess_on_cluster(["a.nii"], "starter", workers=2))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")
def test_workers_grade_as_one_process_does(checkpoint_file, phantom_file, tmp_path, monkeypatch):
    import ray

    paths = [tmp_path / f"{name}.nii.gz" for name in "ba"]
    for path in paths:
        shutil.copy(phantom_file, path)
    paths.insert(1, tmp_path / "missing.nii.gz")
    # Workers import the packages from where the tests do.
    monkeypatch.setenv("PYTHONPATH", ":".join(sys.path))
    ray.init(num_cpus=2, include_dashboard=False)
    try:
        results = list(
            assess_on_cluster(
                paths,
                checkpoint_file,
                workers=2,
                batch_options=BatchOptions(pictures=True),
                device="cpu",
                precision="fp32",
            )
        )
    finally:
        ray.shutdown()
    alone = Assessor(checkpoint_file, device="cpu", precision="fp32")
    assert [graded.path.name for graded in results] == ["b.nii.gz", "missing.nii.gz", "a.nii.gz"]
    assert results[1].error == "missing.nii.gz does not exist; check the path."
    for graded in results[::2]:
        expected = alone.assess(volumes.read(graded.path)).probabilities
        np.testing.assert_allclose(graded.assessment.probabilities, expected, atol=1e-5)
        assert len(graded.pictures) == graded.assessment.n_slices

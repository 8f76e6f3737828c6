import nibabel
import numpy as np
import pytest

from MotionQALib import volumes
from MotionQALib.volumes import VolumeError
from MotionQATrainerLib.data.clean_patients import find_patients
from MotionQATrainerLib.data.labels import read_labels
from MotionQATrainerLib.simulation.simulated_set import write_set


@pytest.fixture(scope="module")
def clean(phantom, tmp_path_factory):
    """Two patients as ACDC stores them, one with masks."""
    folder = tmp_path_factory.mktemp("clean")
    for patient in ("patient001", "patient002"):
        home = folder / patient
        home.mkdir()
        (home / "Info.cfg").write_text("ED: 1\nES: 12\nGroup: NOR\n")
        phantom.save(home / f"{patient}_frame01.nii.gz", phase=0.0)
        phantom.save(home / f"{patient}_frame12.nii.gz", phase=0.35)
    mask = np.zeros((112, 96, 4), dtype=np.uint8)
    mask[60:80, 30:40] = 2
    nibabel.save(
        nibabel.Nifti1Image(mask, np.diag([2.5, 2.5, 10, 1])),
        folder / "patient001" / "patient001_frame01_gt.nii.gz",
    )
    return folder


@pytest.fixture(scope="module")
def made(clean, tmp_path_factory):
    out = tmp_path_factory.mktemp("made")
    write_set(clean, out, 3, seed=5, workers=1)
    return out


def test_patients_are_found_with_their_phases(clean):
    first, second = find_patients(clean)
    assert first.name == "patient001"
    assert {phase: path.name for phase, (path, _) in first.phases.items()} == {
        "ED": "patient001_frame01.nii.gz", "ES": "patient001_frame12.nii.gz",
    }  # fmt: skip
    assert first.heart_centre("ED") == pytest.approx((34.5, 69.5))
    assert second.heart_centre("ED") is None


def test_a_folder_of_single_files_and_a_cine_are_patients_too(phantom, tmp_path):
    phantom.save(tmp_path / "anna.nii.gz", phase=0.0)
    phantom.save(tmp_path / "bert.nii.gz", n_frames=10)
    anna, bert = find_patients(tmp_path)
    assert list(anna.phases) == ["ED"]
    assert [frame for _, frame in bert.phases.values()] == [0, 4]


def test_what_is_one_subjects_stays_together(phantom, tmp_path):
    for name in ("flat/P001-1-ED", "flat/P001-1-ES", "flat/P001-2-ED", "flat/eva_ED", "flat/eva_ES",
                 "acdc/training/patient001/patient001_frame01",
                 "acdc/training/patient002/patient002_frame01"):  # fmt: skip
        path = tmp_path / f"{name}.nii.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        phantom.save(path)
        if name.startswith("acdc"):
            (path.parent / "Info.cfg").write_text("ED: 1\n")
    volunteer, eva = find_patients(tmp_path / "flat")
    assert (volunteer.name, eva.name) == ("P001", "eva")
    assert [path.name for path, _ in volunteer.phases.values()] == [
        "P001-1-ED.nii.gz", "P001-1-ES.nii.gz",
    ]  # fmt: skip
    assert list(eva.phases) == ["ED", "ES"]
    names = [patient.name for patient in find_patients(tmp_path / "acdc")]
    assert names == ["patient001", "patient002"]


def test_a_folder_without_volumes_is_refused(tmp_path):
    with pytest.raises(VolumeError, match="no images"):
        find_patients(tmp_path)
    with pytest.raises(VolumeError, match="no such folder"):
        find_patients(tmp_path / "gone")


def test_the_layout_is_the_challenges(made):
    names = {path.relative_to(made).as_posix() for path in made.rglob("*.nii.gz")}
    assert "P001-1/P001-1-ED.nii.gz" in names and "P003-4/P003-4-ES.nii.gz" in names
    assert len(names) == 3 * 4 * 2
    lines = (made / "IQA.csv").read_text().splitlines()
    assert lines[0] == "Image,Label,Subject,Severity" and len(lines) == 25


def test_every_slice_and_volume_has_a_score_and_its_source(made):
    labels = read_labels(made / "scores.csv")
    assert len(labels) == 24 * (1 + 4)
    assert {label.subject for label in labels} == {"patient001", "patient002"}
    volume = next(label for label in labels if label.slice is None)
    slices = [x.severity for x in labels if x.image == volume.image and x.slice is not None]
    assert volume.severity == pytest.approx(np.mean(slices), abs=1e-3)
    grades = {label.image: label.grade for label in read_labels(made / "IQA.csv")}
    assert grades[volume.image] == volume.grade
    # Two of the three subjects are the same patient: a split must see that in either file.
    subjects = {label.image: label.subject for label in labels}
    assert {x.image: x.subject for x in read_labels(made / "IQA.csv")} == subjects


def test_images_keep_the_geometry(made, clean):
    written = volumes.read(made / "P001-1" / "P001-1-ED.nii.gz")
    source = volumes.read(clean / "patient001" / "patient001_frame01.nii.gz")
    assert written.voxels.shape == source.voxels.shape
    assert written.spacing == pytest.approx(source.spacing)
    a, b = written.voxels[0].ravel(), source.voxels[0].ravel()
    assert np.corrcoef(a, b)[0, 1] > 0.98  # held breath: all but the clean image


def test_the_seed_repeats_the_set_and_processes_do_not_matter(made, clean, tmp_path):
    write_set(clean, tmp_path, 3, seed=5, workers=2)
    assert (tmp_path / "scores.csv").read_text() == (made / "scores.csv").read_text()
    for path in ("P001-4/P001-4-ES.nii.gz", "P002-2/P002-2-ED.nii.gz"):
        assert (volumes.read(tmp_path / path).voxels == volumes.read(made / path).voxels).all()


def test_a_set_grows_by_further_subjects(clean, tmp_path):
    write_set(clean, tmp_path, 1, workers=1)
    labels = write_set(clean, tmp_path, 1, workers=1, patients=["patient002"], wide=True)
    assert {label.image.split("-")[0] for label in labels} == {"P001", "P002"}
    assert read_labels(tmp_path / "scores.csv") == labels


def test_patients_that_are_not_there_are_named(clean, tmp_path):
    with pytest.raises(ValueError, match="patient099"):
        write_set(clean, tmp_path, 1, patients=["patient099"])
    with pytest.raises(ValueError, match="--subjects"):
        write_set(clean, tmp_path, 0)


@pytest.mark.parametrize("file", ["IQA.csv", "scores.csv"])
def test_a_data_set_of_others_is_not_overwritten(clean, tmp_path, file):
    column = "Label" if file == "IQA.csv" else "score"
    (tmp_path / file).write_text(f"Image,{column}\nanna,1\n")
    with pytest.raises(ValueError, match="not simulated; choose another folder"):
        write_set(clean, tmp_path, 1, workers=1)
    assert [path.name for path in tmp_path.iterdir()] == [file]

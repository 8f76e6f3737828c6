"""One person, or one image, on two sides of a split: found in labels, files and voxels."""

import csv
import gzip
import shutil

import nibabel
import numpy as np
import pytest

from MotionQATrainerLib.data.check import check
from MotionQATrainerLib.data.clean_patients import find_patients
from MotionQATrainerLib.data.datasets import open_store, refuse_same_images
from MotionQATrainerLib.data.leaks import (
    refuse_similar_subjects,
    sharing,
    similar_subjects_apart,
    slice_marks,
)
from MotionQATrainerLib.data.matching import labelled_images
from MotionQATrainerLib.data.splits import Split, SplitError
from MotionQATrainerLib.training.sources import Labelled


@pytest.fixture
def small(small_settings):
    return small_settings.model.preprocessing


def image(path, seed, dtype=np.int16):
    path.parent.mkdir(parents=True, exist_ok=True)
    voxels = np.random.default_rng(seed).integers(0, 900, (40, 36, 3)).astype(dtype)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), path)
    return path


def labelled(folder, rows, columns=("image", "score")):
    path = folder / "labels.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def series(folder, patient_id, seed, slices=1):
    """A DICOM series of some slices in a folder of its own."""
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for index in range(slices):
        content = Dataset()
        content.file_meta = FileMetaDataset()
        content.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        content.file_meta.MediaStorageSOPClassUID = content.SOPClassUID = MRImageStorage
        content.file_meta.MediaStorageSOPInstanceUID = f"1.2.{seed}.{index + 1}"
        content.SOPInstanceUID = f"1.2.{seed}.{index + 1}"
        content.SeriesInstanceUID, content.StudyInstanceUID = f"1.3.{seed}", f"1.4.{seed}"
        content.PatientID = patient_id
        content.Rows, content.Columns = 40, 36
        content.BitsAllocated = content.BitsStored = 16
        content.HighBit, content.PixelRepresentation = 15, 0
        content.SamplesPerPixel, content.PhotometricInterpretation = 1, "MONOCHROME2"
        content.PixelSpacing, content.SliceThickness = [1.5, 1.5], 8
        content.ImagePositionPatient = [0, 0, 8 * index]
        content.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        content.PixelData = rng.integers(0, 900, (40, 36)).astype(np.uint16).tobytes()
        content.save_as(folder / f"{index}.dcm", enforce_file_format=True)


def test_bids_sessions_are_one_subject(tmp_path):
    for name, seed in (("sub-01_ses-1", 1), ("sub-01_ses-2", 2), ("sub-02_ses-1", 3)):
        image(tmp_path / f"{name}_cine.nii.gz", seed)
    rows = [["sub-01_ses-1_cine", 5], ["sub-01_ses-2_cine", 3], ["sub-02_ses-1_cine", 1]]
    found = check(tmp_path, labelled(tmp_path, rows))
    assert {name: sum(of.values()) for name, of in found.subjects.items()} == {
        "sub-01": 2,
        "sub-02": 1,
    }
    assert found.problems == found.similar == []


def test_the_folder_tells_the_person_where_the_label_names_only_the_file(tmp_path):
    image(tmp_path / "sub-01" / "ses-1" / "a.nii.gz", 1)
    image(tmp_path / "sub-01" / "ses-2" / "b.nii.gz", 2)
    image(tmp_path / "sub-02" / "ses-1" / "c.nii.gz", 3)
    found = labelled_images(tmp_path, labelled(tmp_path, [["a", 5], ["b", 3], ["c", 1]]))
    assert [found.subject_of(name) for name in "abc"] == ["sub-01", "sub-01", "sub-02"]


def test_a_series_for_each_slice_is_one_person_by_patient_id(tmp_path):
    for seed, (name, patient) in enumerate(
        [("s1", "MRN1"), ("s2", "MRN1"), ("s3", "MRN1"), ("other", "MRN2")], start=1
    ):
        series(tmp_path / name, patient, seed)
    rows = [["s1", 5], ["s2", 3], ["s3", 1], ["other", 2]]
    found = check(tmp_path, labelled(tmp_path, rows))
    assert sorted(sum(of.values()) for of in found.subjects.values()) == [1, 3]
    assert found.problems == []
    assert "MRN" not in found.table()


def test_an_anonymisers_id_is_said_and_folders_are_used(tmp_path):
    series(tmp_path / "case1", "ANON", 1, slices=2)
    series(tmp_path / "case2", "ANON", 2, slices=2)
    found = check(tmp_path, labelled(tmp_path, [["case1", 5], ["case2", 3]]))
    assert set(found.subjects) == {"case1", "case2"}
    assert any("ANON" in remark for remark in found.remarks)
    assert found.problems == []


def test_two_subjects_of_one_patient_id_are_named(tmp_path):
    series(tmp_path / "x", "MRN1", 1)
    series(tmp_path / "y", "MRN1", 2)
    series(tmp_path / "z", "MRN2", 3)
    rows = [["x", 5, "anna"], ["y", 3, "berta"], ["z", 1, "clara"]]
    found = check(tmp_path, labelled(tmp_path, rows, ("image", "score", "subject")), read=False)
    assert "anna and berta are of one person" in str(found.problems[0])


@pytest.mark.parametrize(
    ("one", "other"), [("P001", "p001"), ("001", "0001"), ("P001a", "P001b"), ("7_1", "7_2")]
)
def test_likely_kin_stop_until_somebody_confirms(tmp_path, one, other):
    for seed, name in enumerate((one, other, "anna")):
        image(tmp_path / str(seed) / f"{name}.nii.gz", seed)
    labels = labelled(tmp_path, [[one, 5], [other, 3], ["anna", 1]])
    with pytest.raises(SplitError, match=r"look like one person.*--distinct-subjects"):
        check(tmp_path, labels, read=False).refuse()
    together = Split([one, other], ["anna"])
    assert check(tmp_path, labels, together, read=False).problems == []
    apart = Split([one], [other, "anna"])
    assert len(check(tmp_path, labels, apart, read=False).problems) == 1
    confirmed = check(tmp_path, labels, read=False, distinct_subjects=True)
    assert confirmed.problems == []
    assert any("Confirmed as different people" in remark for remark in confirmed.remarks)


def test_clean_series_of_one_patient_id_are_one_patient(tmp_path):
    for seed, (name, patient) in enumerate([("s1", "MRN1"), ("s2", "MRN1"), ("s3", "MRN2")]):
        series(tmp_path / name, patient, seed + 1, slices=2)
    assert [len(patient.phases) for patient in find_patients(tmp_path)] == [2, 1]


def test_clean_patients_may_be_similar_too():
    names, apart = ["P001a", "P001b", "x"], Split(["P001a", "x"], ["P001b"])
    with pytest.raises(SplitError, match="one person"):
        refuse_similar_subjects(names, apart, confirmed=False)
    refuse_similar_subjects(names, apart, confirmed=True)
    refuse_similar_subjects(names, Split(["P001a", "P001b"], ["x"]), confirmed=False)


def test_an_image_a_subject_is_said(tmp_path):
    for seed, name in enumerate(("hugo", "anna", "ida")):
        image(tmp_path / f"{name}.nii.gz", seed)
    labels = labelled(tmp_path, [["hugo", 5], ["anna", 3], ["ida", 1]])
    found = check(tmp_path, labels, read=False)
    assert any("person of its own" in remark for remark in found.remarks)
    assert found.problems == []


def copies(folder, kind):
    first = image(folder / "anna.nii.gz", 1)
    if kind == "unpacked":
        (folder / "hugo.nii").write_bytes(gzip.decompress(first.read_bytes()))
    else:  # another type, and one slice of it alone
        voxels = np.asarray(nibabel.load(first).dataobj)[..., 1:2].astype(np.float64)
        nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), folder / "hugo.nii.gz")
    image(folder / "ida.nii.gz", 2)
    return labelled(folder, [["anna", 5], ["hugo", 3], ["ida", 1]])


@pytest.mark.parametrize("kind", ["unpacked", "float"])
def test_equal_voxels_under_two_subjects_are_refused(tmp_path, small, kind):
    labels = copies(tmp_path, kind)
    assert "anna and hugo are the same image" in str(check(tmp_path, labels).problems[0])
    store = open_store(tmp_path, labels, small, margin=8, cache=tmp_path / "cache")
    with pytest.raises(SplitError, match="anna and hugo are the same image"):
        refuse_same_images(store)
    refuse_same_images(store, Split(["anna", "hugo"], ["ida"]))
    with pytest.raises(SplitError, match="keep one"):
        refuse_same_images(store, Split(["anna"], ["ida"], ["hugo"]))


def test_blank_slices_are_nobodys():
    blank = np.zeros((2, 4, 4))
    assert slice_marks(blank) == ["", ""]
    assert sharing({"a": slice_marks(blank), "b": slice_marks(blank)}) == []


def test_each_pair_is_said_once():
    assert len(similar_subjects_apart(["P001", "p001"], by_file={"P001": ["P001", "p001"]})) == 1


def test_a_resumed_run_knows_its_images_by_what_they_show(tmp_path, small):
    image(tmp_path / "anna.nii.gz", 1)
    path = image(tmp_path / "hugo.nii.gz", 2)
    labels = labelled(tmp_path, [["anna", 5], ["hugo", 3]])

    def digest():
        store = open_store(tmp_path, labels, small, margin=8, cache=tmp_path / "cache")
        return Labelled(store, Split(["anna"], ["hugo"])).digest

    before = digest()
    shutil.copy(path, tmp_path / "copy")
    (tmp_path / "copy").replace(path)  # another file with the same in it
    assert digest() == before
    image(path, 3)
    assert digest() != before

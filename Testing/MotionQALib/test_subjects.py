import numpy as np
import pytest

from MotionQALib.subjects import is_nobody, named_person, persons, pseudonym, similar_subjects


def dicom(path, patient_id, study="1.2.3"):
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    meta.MediaStorageSOPInstanceUID = generate_uid()
    content = Dataset()
    if patient_id is not None:
        content.PatientID = patient_id
    content.StudyInstanceUID = study
    content.Rows = content.Columns = 2
    content.PixelData = np.zeros(4, np.uint16).tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    FileDataset(str(path), content, file_meta=meta, preamble=b"\0" * 128).save_as(path)
    return path


def told(folder, **files):
    """Persons of DICOM folders given as name = (PatientID, study)."""
    for name, (patient_id, study) in files.items():
        dicom(folder / name.replace("__", "/") / "1.dcm", patient_id, study)
    images = {name.replace("__", "/"): folder / name.replace("__", "/") for name in files}
    found = persons(images, folder)
    return [found.of[name] for name in images], found.remarks


@pytest.mark.parametrize(
    ("path", "person"),
    [
        ("sub-01/ses-1/anat/sub-01_ses-1_cine.nii.gz", "sub-01"),
        ("sub-01_ses-2", "sub-01"),
        ("bids/sub-ab12/x", "sub-ab12"),
        ("p001-2-ES", "p001"),
        ("training/patient042/patient042_frame01", "patient042"),
        ("subject-01", None),
        ("patients/x", None),
    ],
)
def test_persons_named_by_a_scheme(path, person):
    assert named_person(path) == person


@pytest.mark.parametrize(
    "names",
    [
        ["sub-01_ses-1", "sub-01_ses-2"],
        ["P001", "p001"],
        ["001", "0001"],
        ["P001a", "P001b"],
        ["P-001", "P_001", "P001"],
        ["7_1", "7_2"],
        ["anna", "anna_2"],
        ["x_visit2", "x"],
        ["Jürgen", "Ju\u0308rgen"],
        ["site1/07 baseline", "site1/7-followup"],
    ],
)
def test_names_that_may_be_one_persons(names):
    assert similar_subjects([*names, "another person"]) == [sorted(names)]


@pytest.mark.parametrize(
    "names",
    [
        [f"patient{number:03d}" for number in range(1, 151)],
        [str(number) for number in range(1, 300)],
        [f"site{site}_{number}" for site in (1, 2) for number in range(1, 31)],
        ["SC-HF-I-1", "SC-HF-I-2", "SC-HF-NI-1", "SC-N-2"],
        ["A0S9V9", "A1D0Q7", "A1D9Z7"],
        ["1.2.840.3.1", "1.2.840.3.01", "1.2.840.3.2"],
        ["run1", "run2", "scan 3"],
        ["siteA/001", "siteB/001"],
        ["mild", "wild", "hold", "holdpost"],
    ],
)
def test_names_of_different_people(names):
    assert similar_subjects(names) == []


@pytest.mark.parametrize("word", ["ANON", "Anonymous^", "", "0000", "xXx", "DE-IDENTIFIED", "N/A"])
def test_what_anonymisers_write_is_nobody(word):
    assert is_nobody(word)


@pytest.mark.parametrize("word", ["1", "CMR001", "ANON07", "Patient 3", "00001"])
def test_what_tells_people_apart_is_somebody(word):
    assert not is_nobody(word)


def test_a_patient_id_tells_whose_series_they_are_and_is_not_written_down(tmp_path):
    found, remarks = told(tmp_path, s1=("MRN4711", "1"), s2=("MRN4711", "2"), s3=("MRN4712", "3"))
    assert found[0] == found[1] == pseudonym("MRN4711") != found[2]
    assert "4711" not in found[0]
    assert remarks == []


def test_an_anonymisers_id_is_nobody_and_folders_count(tmp_path):
    found, remarks = told(tmp_path, case1=("ANON", "1.2"), case2=("ANON", "1.2"))
    assert found == ["case1", "case2"]
    assert "ANON" in remarks[0] and "subject column" in remarks[0]


def test_one_id_of_all_studies_is_nobody(tmp_path):
    found, remarks = told(tmp_path, a=("CMR", "1"), b__s1=("CMR", "2"), b__s2=("CMR", "2"))
    assert found == ["a", "b", "b"]
    assert "one PatientID" in remarks[0] and "CMR" not in remarks[0]


def test_one_id_of_one_study_is_one_person(tmp_path):
    found, remarks = told(tmp_path, s1=("CMR7", "1"), s2=("CMR7", "1"), s3=("CMR7", "1"))
    assert found == [pseudonym("CMR7")] * 3
    assert remarks == []


def test_images_without_an_id_are_told_by_their_folders(tmp_path):
    found, remarks = told(tmp_path, case1=(None, "1"), case2=("CMR7", "2"), case3=("", "3"))
    assert found == ["case1", pseudonym("CMR7"), "case3"]
    assert "no PatientID" in remarks[0]


def test_series_in_one_folder_are_one_persons(tmp_path):
    images = {name: dicom(tmp_path / "x" / f"{name}.dcm", "ANON") for name in ("s1", "s2")}
    assert set(persons(images, tmp_path).of.values()) == {"x"}

"""An image that was edited after it was scored: its scores go with no other image."""

import csv
import os

import numpy as np
import pytest

from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.export_names import export_names
from MotionQALib.reading.label_import import import_labels
from MotionQALib.reading.score_entry import ItemKey
from MotionQALib.reading.score_exports import export_grades, export_labels, export_long
from MotionQALib.reading.scores import ScoreLog
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.study_scores import StudyScores
from MotionQATrainerLib.data.labels import read_labels
from MotionQATrainerLib.data.matching import match

seen = StudyScores.for_coordinator


def scores_in(path):
    with path.open(encoding="utf-8-sig") as file:
        return [row["score"] for row in csv.DictReader(file)]


@pytest.fixture
def edited(filled, images, write_image, read_as):
    """P001-1-ED is scored 5 and P001-2-ED 2; then the first is edited and added again."""
    read_as(filled, "anna", {"P001-1-ED": 5, "P001-2-ED": 2})
    write_image(images / "P001-1-ED.nii.gz", 99)
    list(CaseList(filled).add(listed(images)))
    return filled


def test_old_scores_are_not_exported_with_the_new_image(edited, images, tmp_path):
    for export in (export_labels, export_grades):
        rows, remarks = export(seen(edited), "anna", tmp_path / "o.csv")
        assert rows == 1 and "P001-1-ED (replaced" in remarks[0]
    rows, remarks = export_long(seen(edited), tmp_path / "long.csv")
    assert rows == 1 and len(remarks) == 1 and scores_in(tmp_path / "long.csv") == ["2"]
    with ScoreLog.open(edited, "anna") as log:
        new = CaseList(edited).cases[-1]
        log.save(ItemKey(new.key), 1)
    assert export_labels(seen(edited), "anna", tmp_path / "labels.csv").rows == 2
    labels = read_labels(tmp_path / "labels.csv")
    assert {(label.image, label.score) for label in labels} == {("P001-1-ED", 1), ("P001-2-ED", 2)}
    assert len(match(images, [label.image for label in labels])[0]) == 2


def test_the_two_are_told_apart_and_it_is_said(edited):
    cases = CaseList(edited)
    names = export_names(cases)
    assert len(set(names.values())) == 13 and len(cases.replaced) == 1
    assert list(names.values()).count("P001-1-ED") == 1
    with ReadingSession(edited, "anna") as session:
        (said,) = [line for line in session.reports if "was replaced by another" in line]
        assert "P001-1-ED" in said and "P001" not in said.blinded and "Case " in said.blinded
    with ReadingSession(edited, "ben") as session:  # who has not scored it
        assert session.reports == []


def test_labels_are_imported_for_the_image_that_is_there(edited, tmp_path):
    path = tmp_path / "in.csv"
    path.write_text("image,score\nP001-1-ED,3\n")
    with ScoreLog.open(edited, "ben") as log:
        assert import_labels(edited, log, path) == (1, [])
        assert [key.case for key in log.entries] == [CaseList(edited).cases[-1].key]


def test_an_image_that_was_edited_and_not_added_again_is_left_out_too(
    filled, images, write_image, read_as, tmp_path
):
    read_as(filled, "anna", {"P001-1-ED": 5, "P001-2-ED": 2})
    write_image(images / "P001-1-ED.nii.gz", 99)
    rows, remarks = export_labels(seen(filled), "anna", tmp_path / "o.csv")
    assert rows == 1 and "P001-1-ED was replaced" in remarks[0].replace("image of ", "")


def test_the_old_image_brought_back_is_the_case_again(edited, images, write_image, tmp_path):
    write_image(images / "P001-1-ED.nii.gz", 0)
    list(CaseList(edited).add(listed(images)))
    assert export_labels(seen(edited), "anna", tmp_path / "o.csv") == (2, ())
    assert len(CaseList(edited).replaced) == 1  # now the other one


def write_dicom(folder, voxels):
    from pydicom.dataset import Dataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

    folder.mkdir(exist_ok=True)
    for index, image in enumerate(voxels):
        data = Dataset()
        data.file_meta = FileMetaDataset()
        data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = MRImageStorage
        data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{index + 1}"
        data.SeriesInstanceUID, data.PatientID = "1.2.3", "P1"
        data.Rows, data.Columns = image.shape
        data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
        data.BitsAllocated = data.BitsStored = 16
        data.HighBit, data.PixelRepresentation = 15, 0
        data.PixelSpacing, data.SliceThickness = [1.0, 1.0], 5
        data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        data.ImagePositionPatient = [0, 0, 5.0 * index]
        data.PixelData = image.astype("<u2").tobytes()
        data["PixelData"].VR = "OW"
        data.save_as(folder / f"{index}.dcm", enforce_file_format=True)
    return folder


def test_an_edited_series_keeps_its_uid_and_is_another_image(study, tmp_path):
    rng = np.random.default_rng(0)
    folder = write_dicom(tmp_path / "series", rng.integers(0, 99, (3, 8, 8)))
    (added,) = CaseList(study).add(listed(folder))
    with ScoreLog.open(study, "anna") as log:
        log.save(ItemKey(added.case.key), 5)
    write_dicom(folder, rng.integers(0, 99, (3, 8, 8)))
    os.utime(folder / "0.dcm")
    assert CaseList(study).is_replaced(added.case)
    (again,) = CaseList(study).add(listed(folder))
    assert again.new and again.case.key != added.case.key
    cases = CaseList(study)
    assert cases.replaced == {added.case.key} and not cases.is_replaced(again.case)
    with pytest.raises(Exception, match="scored no case"):
        export_labels(seen(study), "anna", tmp_path / "o.csv")
    (third,) = CaseList(study).add(listed(folder))
    assert not third.new and len(CaseList(study)) == 2


def test_the_network_grades_the_series_that_is_there(study, tmp_path):
    from MotionQALib.reading.network_grades import NetworkGrades
    from MotionQALib.results import Assessment

    rng = np.random.default_rng(1)
    for _version in range(2):
        folder = write_dicom(tmp_path / "series", rng.integers(0, 99, (3, 8, 8)))
        os.utime(folder / "0.dcm", (1, 1 + _version))
        list(CaseList(study).add(listed(folder)))
    cases = CaseList(study)
    old, new = cases.cases
    assert cases.replaced == {old.key}
    graded = Assessment(
        volume="series",
        source=str(folder),
        identity="dicom:1.2.3",
        checkpoint="",
        notice="",
        probabilities=np.full((1, 3, 5), 0.2),
        volume_probabilities=np.full(5, 0.2),
        uncertain=np.zeros((1, 3), bool),
        volume_uncertain=False,
        device="",
        precision="",
        seconds=0.0,
    )
    assert set(NetworkGrades.of([graded], cases).assessments) == {new.key}

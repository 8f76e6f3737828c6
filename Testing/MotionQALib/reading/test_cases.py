"""Cases are known by their content, wherever their files lie."""

import shutil

import numpy as np
import pytest

from MotionQALib.reading import case_list
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import Case, listed, read_case
from MotionQALib.reading.reading_errors import InUse, ReadingError
from MotionQALib.volumes import Volume


def test_a_folder_becomes_cases_with_their_subjects(filled):
    cases = CaseList(filled)
    assert [case.name for case in cases.cases][:2] == ["P001-1-ED", "P001-2-ED"]
    assert {case.subject for case in cases.cases} == {"P001", "P002", "P003"}
    assert len({case.key for case in cases.cases}) == 12
    assert all(case.n_slices == 3 and cases.file_of(case).exists() for case in cases.cases)


def test_files_that_did_not_change_are_not_read_again(filled, images, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("read again")

    monkeypatch.setattr(case_list, "read_case", refuse)
    size = filled.cases_file.stat().st_size
    added = list(CaseList(filled).add(listed(images)))
    assert [a.new for a in added] == [False] * 12
    assert filled.cases_file.stat().st_size == size


def test_a_moved_file_stays_the_same_case(filled, images, tmp_path):
    before = CaseList(filled)
    moved = tmp_path / "elsewhere"
    shutil.move(images, moved)
    assert all(before.file_of(case) is None for case in before.cases)
    added = list(CaseList(filled).add(listed(moved)))
    assert not any(a.new for a in added)
    after = CaseList(filled)
    assert [case.key for case in after.cases] == [case.key for case in before.cases]
    assert after.file_of(after.cases[0]) == moved / "P001-1-ED.nii.gz"


def test_a_changed_file_is_another_case(filled, images, write_image):
    write_image(images / "P001-1-ED.nii.gz", 99)
    added = list(CaseList(filled).add(listed(images)))
    assert [a.new for a in added] == [True] + [False] * 11


def test_a_file_that_was_replaced_is_not_the_case_any_more(filled, images, write_image):
    cases = CaseList(filled)
    by_name = {case.name: case for case in cases.cases}
    one, other, third = (by_name[f"P001-{take}-ED"] for take in (1, 2, 3))
    files = [images / f"{case.name}.nii.gz" for case in (one, other, third)]
    contents = [file.read_bytes() for file in files]
    assert not any(map(cases.is_replaced, cases.cases))
    files[0].write_bytes(contents[1])  # as where files were numbered anew
    files[1].write_bytes(contents[0])
    files[2].write_bytes(b"no image")
    assert all(map(cases.is_replaced, (one, other, third)))
    files[0].write_bytes(contents[0])  # touched, and the same again
    files[1].unlink()  # missing, which `file_of` says
    assert not cases.is_replaced(one) and not cases.is_replaced(other)


def test_a_file_that_was_only_touched_is_looked_into_once(filled, images, monkeypatch):
    cases, reads = CaseList(filled), []
    real = case_list.read_case
    monkeypatch.setattr(
        case_list, "read_case", lambda path, **how: reads.append(path) or real(path, **how)
    )
    (images / "P001-1-ED.nii.gz").touch()
    for _ in range(3):
        assert not any(map(cases.is_replaced, cases.cases))
    assert reads == [images / "P001-1-ED.nii.gz"]


def test_a_copy_is_read_once_and_bad_files_do_not_stop_the_rest(study, images):
    shutil.copy(images / "P001-1-ED.nii.gz", images / "copy.nii.gz")
    (images / "P001-2-ED.nii.gz").write_bytes(b"no image")
    added = {a.path.name: a for a in CaseList(study).add(listed(images))}
    assert "same image as P001-1-ED.nii.gz" in added["copy.nii.gz"].problem
    assert added["P001-2-ED.nii.gz"].problem.startswith("P001-2-ED.nii.gz ")
    assert len(CaseList(study)) == 11


def test_later_cases_are_a_batch_of_their_own(filled, images, write_image):
    write_image(images / "P004-1-ED.nii.gz", 40)
    list(CaseList(filled).add(listed(images)))
    assert [case.batch for case in CaseList(filled).cases] == [0] * 12 + [1]


def test_what_was_added_stays_when_adding_is_broken_off(study, images):
    steps = CaseList(study).add(listed(images))
    next(steps), next(steps)
    with pytest.raises(InUse, match="The cases of study are open"):
        next(CaseList(study).add(listed(images)))
    steps.close()
    assert len(CaseList(study)) == 2
    assert sum(a.new for a in CaseList(study).add(listed(images))) == 10


def test_a_csv_lists_images_by_path_or_by_name(study, images):
    table = images.parent / "list.csv"
    table.write_text(
        "\ufeffImage;subject\nP002-1-ED;somebody\nimages/P001-3-ED.nii.gz;\nimages/P001-4-ED;\n"
    )
    added = list(CaseList(study).add(listed(table)))
    assert [(a.case.name, a.case.subject) for a in added] == [
        ("P002-1-ED", "somebody"),
        ("P001-3-ED", "P001"),
        ("P001-4-ED", "P001"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows"),
        ("name,score\na,3\n", "needs a column named image"),
        ("image\nnowhere\n", "line 2: no image is named nowhere"),
        ("subject,image\na\n", "line 2: 1 values for 2 columns"),
        ("subject,image\na,\n", "line 2: the image's name is missing"),
    ],
)
def test_bad_lists_are_told_by_their_line(images, text, said):
    table = images.parent / "list.csv"
    table.write_text(text)
    with pytest.raises(ReadingError, match=said):
        listed(table)


def test_a_name_in_two_folders_needs_its_path(images, write_image):
    write_image(images / "more" / "P001-1-ED.nii.gz", 50)
    table = images.parent / "list.csv"
    table.write_text("image\nP001-1-ED\n")
    with pytest.raises(ReadingError, match="2 images are named P001-1-ED"):
        listed(table)


def test_volumes_in_memory_are_cases_too(filled):
    known = CaseList(filled).cases[0]
    voxels = read_again = np.random.default_rng(0).integers(0, 99, (8, 8, 3), dtype=np.int16)
    volume = Volume(voxels.transpose(2, 1, 0), (5.0, 1.0, 1.0), name="MRHead")
    new = Volume(read_again + 1, (5.0, 1.0, 1.0), name="another_ED")
    same, another = CaseList(filled).add_volumes([volume, new])
    assert not same.new and same.case == known  # its file is still known
    assert another.new and another.case.path is None and another.case.subject == "another"


def test_a_dicom_series_is_known_by_its_uid_and_its_patient_by_a_hash(tmp_path):
    pydicom = pytest.importorskip("pydicom")
    for number in range(2):
        file = pydicom.Dataset()
        file.file_meta = pydicom.dataset.FileMetaDataset()
        file.file_meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
        file.SOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        file.SOPInstanceUID = f"1.2.3.{number}"
        file.SeriesInstanceUID = "1.2.3"
        file.PatientID, file.PatientName = "0815", "Doe^Jane"
        file.Rows = file.Columns = 8
        file.PixelSpacing = [1, 1]
        file.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        file.ImagePositionPatient = [0, 0, 5 * number]
        file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
        file.BitsAllocated = file.BitsStored = 16
        file.HighBit, file.PixelRepresentation = 15, 0
        file.PixelData = np.arange(64, dtype=np.uint16).tobytes()
        path = tmp_path / "series" / f"{number}.dcm"
        path.parent.mkdir(exist_ok=True)
        file.save_as(path, enforce_file_format=True)
    case = read_case(tmp_path / "series", salt="one")
    assert case.key == "dicom:1.2.3" and case.n_slices == 2
    assert case.subject.startswith("patient-") and "0815" not in str(case)
    assert read_case(tmp_path / "series", salt="two").subject != case.subject
    assert read_case(tmp_path / "series", salt="one", subject="S1").subject == "S1"


def test_a_damaged_line_of_the_list_is_told_and_left_out(filled):
    content = filled.cases_file.read_bytes().splitlines(keepends=True)
    content[3] = b'{"key": "x"}\n'
    filled.cases_file.write_bytes(b"".join(content))
    cases = CaseList(filled)
    assert len(cases) == 11
    assert cases.reports[0].startswith("Line 4 of ")


def test_segmentations_are_counted_and_left_out(study, images, tmp_path):
    """Known by their name or, under any name, by their content."""
    import nibabel

    labels = np.random.default_rng(0).integers(0, 4, (32, 32, 3)).astype(np.uint8)
    for name in ("contours_of_p1", "P001-1-ED_gt"):
        nibabel.save(nibabel.Nifti1Image(labels, np.eye(4)), images / f"{name}.nii.gz")
    added = list(CaseList(study).add(listed(images)))
    assert sorted(a.path.name for a in added if a.mask) == [
        "P001-1-ED_gt.nii.gz",
        "contours_of_p1.nii.gz",
    ]
    assert [a.problem for a in added] == [None] * 14
    assert len(CaseList(study)) == 12


def test_what_was_doubted_about_a_file_is_kept_with_its_case(study, tmp_path, write_image):
    import nibabel

    voxels = np.random.default_rng(1).integers(0, 99, (8, 8, 3), dtype=np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "x.nii.gz")
    (added,) = CaseList(study).add([tmp_path / "x.nii.gz"])
    assert "No voxel size is known" in " ".join(added.case.remarks)
    assert CaseList(study).cases == (added.case,)
    record = added.case.to_record()
    record.pop("remarks")  # as older lists have it
    assert Case.from_record(record).remarks == ()

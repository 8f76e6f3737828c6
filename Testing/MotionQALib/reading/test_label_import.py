"""The reader study takes tables as the trainer does: the same dialects, the same names."""

import os
import unicodedata

import pytest

import cine_objects
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed, read_case, stamp_of
from MotionQALib.reading.errors import ReadingError
from MotionQALib.reading.label_import import import_labels
from MotionQALib.reading.scores import ScoreLog
from MotionQATrainerLib.data.labels import read_labels
from MotionQATrainerLib.data.matching import match

HEAD, NAMES = "Image,Label", ("P001-1-ED", "P002-1-ED", "P003-1-ED")
ROWS = [f"{name},{grade}" for grade, name in enumerate(NAMES, start=1)]


def text(rows, head=HEAD, before="", end="\n"):
    return before + end.join([head, *rows]) + end


def with_names(spell):
    return text([f'"{spell(name)}",{grade}' for grade, name in enumerate(NAMES, start=1)])


TABLES = {
    "plain": text(ROWS),
    "excel": text([row.replace(",", ";") for row in ROWS], "Image;Label", "sep=;\r\n", "\r\n"),
    "mark": "\ufeff" + text(ROWS),
    "remark first": text(ROWS, before="# scored in March\n\n"),
    "carriage returns": text(ROWS, end="\r"),
    "decimal comma": text([f"{row.replace(',', ';')},0" for row in ROWS], "Image;Label"),
    "words": text([f"{name},{w}" for name, w in zip(NAMES, ("mild", "Moderate", "SEVERE"))]),  # noqa: B905
    "index": text([f"{number},{row}" for number, row in enumerate(ROWS)], f",{HEAD}"),
    "relative": with_names(lambda name: f"./{name}.nii.gz"),
    "parent": with_names(lambda name: f"../images/{name}.nii.gz"),
    "folder": with_names(lambda name: f"images/{name}"),
    "windows": with_names(lambda name: rf"D:\cmr\{name}.nii.gz"),
    "server": with_names(lambda name: f"/mnt/share/{name}.nii.gz"),
    "small letters": with_names(str.lower),
}


@pytest.mark.parametrize("kind", TABLES)
def test_study_and_trainer_read_the_same(filled, images, tmp_path, kind):
    path = tmp_path / "labels.csv"
    path.write_bytes(TABLES[kind].encode())
    labels = read_labels(path)
    paths, _ = match(images, [label.image for label in labels], path)
    trained = {paths[label.image].name: label.grade.label for label in labels}
    with ScoreLog.open(filled, "ben") as log:
        count, remarks = import_labels(filled, log, path)
        names = {case.key: case.name for case in CaseList(filled).cases}
        read = {f"{names[p.case]}.nii.gz": entry.grade for p, entry in log.entries.items()}
    assert count == 3
    assert read == trained
    assert list(trained.values()) == ["mild", "moderate", "severe"]
    assert len(remarks) == (kind in ("windows", "server"))  # it is said that paths are others'


def test_utf_16_is_read_and_what_is_no_text_is_refused(filled, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_bytes(TABLES["plain"].encode("utf-16"))
    with ScoreLog.open(filled, "ben") as log:
        assert import_labels(filled, log, path)[0] == 3
        path.write_bytes(TABLES["plain"].replace("P001", "Jürgen").encode("cp1252"))
        with pytest.raises(ReadingError, match="UTF-8"):
            import_labels(filled, log, path)


def test_two_spellings_of_one_image_are_two_scores_of_it(filled, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("image,score\nP001-1-ED,3\nimages/P001-1-ED.nii.gz,3\n")
    with (
        ScoreLog.open(filled, "ben") as log,
        pytest.raises(ReadingError, match="scored already"),
    ):
        import_labels(filled, log, path)


def test_a_list_of_cases_names_images_as_labels_do(tmp_path, write_image):
    folder = tmp_path / "study"
    file = write_image(folder / "deep" / f"{unicodedata.normalize('NFD', 'Jürgen')}.nii.gz")
    path = folder / "cases.csv"
    path.write_text("# in this order\nimage\nJürgen\n", encoding="utf-8")
    assert [found.path for found in listed(path)] == [file]


def test_an_image_replaced_by_an_older_one_of_its_size_is_read_again(tmp_path, write_image):
    path = write_image(tmp_path / "a.nii")
    before = stamp_of(path)
    assert stamp_of(path) == before
    os.utime(write_image(path, number=1), ns=(1, 1))
    assert stamp_of(path) != before


def test_an_anonymisers_constant_makes_no_subject(tmp_path):
    def subject(patient_id):
        images = cine_objects.series(2, 1, PatientID=patient_id)
        cine_objects.save(images, tmp_path / patient_id)
        return read_case(tmp_path / patient_id, salt="salt").subject

    assert not (subject("ANON") or "").startswith("patient-")
    assert subject("0815").startswith("patient-")

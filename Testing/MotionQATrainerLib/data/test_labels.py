import pytest

from MotionQALib.scale import Grade
from MotionQATrainerLib.data.labels import (
    Label,
    LabelError,
    levels_of_grade,
    levels_of_score,
    read_labels,
    simulated,
    subject_of,
    write_grades,
    write_scores,
)


def written(tmp_path, text, name="labels.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_levels():
    assert levels_of_score(4) == (False, False, False, True, False)
    assert levels_of_grade(1) == (False, False, False, True, True)
    assert levels_of_grade(2) == (False, False, True, False, False)
    assert levels_of_grade(Grade.SEVERE) == (True, True, False, False, False)
    for wrong in (0, 6):
        with pytest.raises(ValueError):
            levels_of_score(wrong)


def test_challenge_form(tmp_path):
    path = written(tmp_path, "Image,Label\nP001-1-ED,1\nP001-2-ES,3\nP020-4-ED,2\n")
    labels = read_labels(path)
    assert [label.grade for label in labels] == [Grade.MILD, Grade.SEVERE, Grade.MODERATE]
    assert [label.score for label in labels] == [None, None, 3]
    assert [label.subject for label in labels] == ["P001", "P001", "P020"]
    assert labels[0].frame is labels[0].slice is None


def test_score_form_of_a_spreadsheet(tmp_path):
    text = "\ufeffimage;score;remark\r\nkücük bär.nii.gz;5.0;fine, really\r\n\r\nb;1;\r\n"
    labels = read_labels(written(tmp_path, text))
    assert [(label.image, label.score) for label in labels] == [("kücük bär.nii.gz", 5), ("b", 1)]
    assert [label.subject for label in labels] == ["kücük bär", "b"]


def test_long_form(tmp_path):
    text = (
        "image,frame,slice,score,subject,severity\n"
        "P001-1-ED,,0,5,patient007,0.98\nP001-1-ED,,1,2,patient007,\n"
        "P001-1-ED,2,1,2,patient007,0.5\nP001-1-ED,,,4,patient007,0.9\n"
    )
    labels = read_labels(written(tmp_path, text))
    assert [label.slice for label in labels] == [0, 1, 1, None]
    assert [label.frame for label in labels] == [None, None, 2, None]
    assert [label.severity for label in labels] == [0.98, None, 0.5, 0.9]
    assert {label.subject for label in labels} == {"patient007"}


@pytest.mark.parametrize(
    ("image", "subject"),
    [
        ("P001-1-ED", "P001"),
        ("P001-1/P001-1-ED.nii.gz", "P001"),
        ("patient001_frame01", "patient001"),
        ("site/patient001_frame12.nii.gz", "patient001"),
        ("patient001/ED", "patient001"),
        ("A0S9V9_sa_ES.nrrd", "A0S9V9"),
        ("P001", "P001"),
        ("XP001-1-ED", "XP001-1"),
        ("mercedes", "mercedes"),
        ("ED.nii.gz", "ED"),
    ],
)
def test_subject_of(image, subject):
    assert subject_of(image) == subject


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("image,score\na,6\n", 2, "'6'"),
        ("image,score\na,5\nb,0\n", 3, "'0'"),
        ("image,score\na,good\n", 2, "'good'"),
        ("image,score\na,nan\n", 2, "'nan'"),
        ("image,score\na,inf\n", 2, "'inf'"),
        ("image,score\na,3.5\n", 2, "'3.5'"),
        ("image,score\na,\n", 2, "missing"),
        ("image,score\na\n", 2, "fill in"),
        ("image,score\n,3\n", 2, "name is missing"),
        ("Image,Label\nP001-1-ED,4\n", 2, "'4'"),
        ("image,score\na,3\nb,3\na,4\n", 4, "line 2"),
        ("image,slice,score\na,1,3\na,1,3\n", 3, "slice 1"),
        ("image,slice,score\na,-1,3\n", 2, "'-1'"),
        ("image,frame,score\na,1.5,3\n", 2, "'1.5'"),
        ("image,score,severity\na,3,nan\n", 2, "severity"),
        ("image,slice,score,subject\na,1,3,x\na,2,3,y\n", 3, "subject x"),
        ("picture,score\na,3\n", 1, "needed are image"),
        ("image,frame\na,3\n", 1, "needed are image"),
        ("image,score,label\na,3,2\n", 1, "needed are image"),
        ("image,score,Score\na,3,2\n", 1, "twice"),
    ],
)
def test_bad_rows_name_file_and_line(tmp_path, text, line, words):
    path = written(tmp_path, text)
    with pytest.raises(LabelError) as error:
        read_labels(path)
    message = str(error.value)
    assert str(path) in message and f"line {line}" in message and words in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"image,score\n", "no labels"),
        (b"image,score\n\n , \n", "no labels"),
        (b"\xffimage", "UTF-8"),
        (b'image,score\n"a,3\n', "CSV"),
    ],
)
def test_unusable_files(tmp_path, content, words):
    path = written(tmp_path, content)
    with pytest.raises(LabelError, match=words) as error:
        read_labels(path)
    assert str(path) in str(error.value)


def test_missing_file_and_folder(tmp_path):
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(LabelError, match="cannot be read"):
            read_labels(path)


def test_scores_come_back(tmp_path):
    labels = [
        Label("P001-1-ED", None, 0, levels_of_score(5), "patient001", 0.97),
        Label("P001-1-ED", 3, 1, levels_of_score(2), "patient001", None),
        Label('odd, "name"', None, None, levels_of_score(1), "patient002", 0.1),
    ]
    write_scores(tmp_path / "scores.csv", labels)
    assert read_labels(tmp_path / "scores.csv") == labels


def test_grades_come_back(tmp_path):
    labels = [
        Label("P001-1-ED", None, None, levels_of_grade(1), "P001"),
        Label("P002-1-ED", None, None, levels_of_score(2), "P002"),
    ]
    write_grades(tmp_path / "IQA.csv", labels)
    assert (tmp_path / "IQA.csv").read_text() == "Image,Label\nP001-1-ED,1\nP002-1-ED,3\n"
    assert [label.grade for label in read_labels(tmp_path / "IQA.csv")] == [1, 3]


def test_writers_refuse_what_their_form_cannot_hold(tmp_path):
    grade = Label("a", None, None, levels_of_grade(1))
    with pytest.raises(ValueError, match="no single score"):
        write_scores(tmp_path / "x.csv", [grade])
    with pytest.raises(ValueError, match="not its slices"):
        write_grades(tmp_path / "x.csv", [Label("a", None, 3, levels_of_grade(1))])
    assert not (tmp_path / "x.csv").exists()


def test_simulated_grades_tell_the_patient_and_that_they_are_simulated(tmp_path):
    labels = [Label("P001-1-ED", None, None, levels_of_grade(1), "patient007", 0.9)]
    write_grades(tmp_path / "IQA.csv", labels)
    lines = (tmp_path / "IQA.csv").read_text().splitlines()
    assert lines == ["Image,Label,Subject,Severity", "P001-1-ED,1,patient007,0.9"]
    assert read_labels(tmp_path / "IQA.csv") == labels
    assert simulated(labels)
    assert not simulated([Label("a", None, None, levels_of_grade(1))])

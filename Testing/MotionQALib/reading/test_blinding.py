"""A blinded reader is told numbers: of every sentence and page that the library makes."""

import json

import pytest

from MotionQALib.reading import agreement_report
from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.blinding import Blinding, Remark, of_logs
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.label_import import import_labels
from MotionQALib.reading.network_grades import NetworkGrades
from MotionQALib.reading.reading_errors import Hidden, InUse, NotSaved, ReadingError, StudyError
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.study import Study
from MotionQALib.reading.study_scores import StudyScores

SECRET = "SECRETNAME"


def test_a_sentence_is_hidden_unless_it_says_what_may_be_told():
    said = ["SECRETNAME is bad", Remark("SECRETNAME moved", blinded="Case 3 moved"), of_logs("L 1")]
    hidden = Blinding(True, {}, dict).tell([*said, Remark("SECRETNAME_2")])
    assert hidden[:2] == ("Case 3 moved", "L 1") and "Problems with images: 2." in hidden[2]
    assert Blinding(False, {}, dict).tell(said) == tuple(said)


def test_errors_are_told_by_kind():
    blinding = Blinding(True, {"k": 7}, dict)
    assert SECRET not in blinding.error(ReadingError(f"{SECRET}.csv is bad"))
    assert (
        blinding.error(ReadingError(f"{SECRET} is bad", blinded="line 3 is bad")) == "line 3 is bad"
    )
    for kind in (StudyError, Hidden, NotSaved, InUse):
        assert blinding.error(kind("The scores of anna")) == "The scores of anna"
    assert blinding.name_of("k") == "Case 7" and SECRET not in blinding.name_of(SECRET)


@pytest.fixture
def secret_study(tmp_path, write_image):
    """A blinded study whose images' names and folders are secret."""
    folder = tmp_path / SECRET / "images"
    for number in range(3):
        write_image(folder / f"{SECRET}_{number}.nii.gz", number)
    study = Study.create(tmp_path / "study")
    list(CaseList(study).add(listed(folder)))
    return study


TABLES = {
    "no such image.csv": "image,score\nSECRETNAME_9,3\n",
    "off the scale.csv": "image,score\nSECRETNAME_1,SECRETNAME\n",
    "twice.csv": "image,score\nSECRETNAME_1,3\nSECRETNAME_1,4\n",
    "columns.csv": "SECRETNAME,score\na,3\n",
    "short.csv": "image,score\nSECRETNAME_1\n",
    "empty.csv": "image,score\n",
    "quotes.csv": 'image,score\n"SECRETNAME_1,3\n',
    "latin.csv": "image,score\nSECRETNAME_\xe9,3\n",
    "slices.csv": "image,slice,score\nSECRETNAME_1,2,3\n",
    "missing.csv": None,
}


@pytest.mark.parametrize("name", TABLES)
def test_a_faulty_table_tells_no_name(secret_study, tmp_path, name):
    path, said = tmp_path / SECRET / name, []
    if TABLES[name] is not None:
        path.write_text(TABLES[name], "latin-1")
    with ReadingSession(secret_study, "anna") as session:
        for use in (
            lambda: import_labels(secret_study, session.log, path)[1],
            lambda: listed(path),
            lambda: NetworkGrades.read(path, session.cases).remarks,
        ):
            try:
                said += session.blinding.tell(use() or ())
            except ReadingError as error:
                said.append(session.blinding.error(error))
    assert said and not [sentence for sentence in said if SECRET in sentence]


def test_no_page_of_the_agreement_tells_a_name(secret_study, tmp_path):
    for reader, scores in (("ben", (1, 5, 3)), ("anna", (5, 1, 3))):
        with ReadingSession(secret_study, reader) as session:
            for item, score in zip(session.worklist.items, scores, strict=True):
                session.log.save(item.key, score)
            if reader == "anna":
                seen = StudyScores.for_reader(session)
                stranger = Remark(f"{SECRET}_42 was graded, but is no case of this study.")
                network = NetworkGrades({}, (stranger,))
                report = agreement(seen, network=network, resamples=0)
    assert [d.image for d in report.disagreements] == ["Case 1", "Case 2"]
    agreement_report.write_html(report, tmp_path / "a.html")
    agreement_report.write_json(report, tmp_path / "a.json")
    pages = [(tmp_path / name).read_text("utf-8") for name in ("a.html", "a.json")]
    assert not [page for page in (*pages, *agreement_report.lines(report)) if SECRET in page]
    assert "Problems with images: 1." in json.loads(pages[1])["remarks"][0]
    told = agreement(StudyScores.for_coordinator(secret_study), network=network, resamples=0)
    assert told.disagreements[0].image.startswith(SECRET) and SECRET in told.remarks[0]

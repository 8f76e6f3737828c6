"""Images, labels and their check: counts and sentences before anything is trained."""

from __future__ import annotations

import shutil
import time

import pytest

from host import pythonqt

pythonqt(__name__)
LATE = 120.0


@pytest.fixture
def panel(host):
    yield host.enter("MotionQATrainer")
    host.leave()


def choose(panel, data, labels=None):
    panel.ui.dataPathLineEdit.currentPath = str(data)
    panel.ui.labelsKindComboBox.currentIndex = 2 if labels is None else 0
    panel.ui.labelsPathLineEdit.currentPath = "" if labels is None else str(labels)


def checked(host, panel) -> str:
    """What the check says in the end; the window answers meanwhile."""
    started = time.monotonic()
    panel.ui.checkButton.click()
    assert time.monotonic() - started < 1
    assert panel.ui.checkButton.text == "Stop checking" and not panel.ui.trainButton.enabled
    host.wait_until(lambda: panel.ui.checkButton.text == "Check the data", seconds=LATE)
    return panel.ui.checkLabel.text


def test_counts_by_grade_and_subject(host, panel, rated_set):
    choose(panel, rated_set, rated_set / "IQA.csv")
    said = checked(host, panel)
    assert "18 labelled images of 6 subjects: mild 6, moderate 6, severe 6." in said
    assert said.count("<tr>") == 7 and "P003" in said
    assert panel.ui.trainButton.enabled


def test_what_is_missing_or_unreadable_is_named(host, panel, rated_set, tmp_path):
    folder = shutil.copytree(rated_set, tmp_path / "set")
    (folder / "P001-1" / "P001-1-ED.nii.gz").unlink()
    (folder / "P002-2" / "P002-2-ED.nii.gz").write_bytes(b"no image")
    shutil.copy(folder / "P003-3" / "P003-3-ED.nii.gz", folder / "stray.nii.gz")
    choose(panel, folder, folder / "IQA.csv")
    said = checked(host, panel)
    assert "16 labelled images" in said
    assert "not there: P001-1-ED" in said and "not labelled: stray.nii.gz" in said
    assert "P002-2-ED.nii.gz" in said.partition("Not readable")[2]


def test_who_may_be_one_person_stops_until_somebody_confirms(host, panel, rated_set, tmp_path):
    folder = tmp_path / "set"
    for number, name in enumerate(("P001a", "P001b", "anna"), start=1):
        (folder / name).mkdir(parents=True)
        source = rated_set / f"P00{number}-1" / f"P00{number}-1-ED.nii.gz"
        shutil.copy(source, folder / name / f"{name}.nii.gz")
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\nP001a,5\nP001b,3\nanna,1\n")
    choose(panel, folder, labels)
    box = panel.ui.distinctCheckBox
    assert box.isHidden()
    assert "P001a and P001b look like one person" in checked(host, panel)
    assert not box.isHidden() and not panel.ui.trainButton.enabled
    assert "person of its own" in panel.ui.checkLabel.text
    box.checked = True
    assert panel.ui.trainButton.enabled
    panel.ui.labelsPathLineEdit.currentPath = str(rated_set / "IQA.csv")
    assert box.isHidden() and not box.checked  # it was said of other subjects


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("Image,Label\nP001-1-ED,6\n", "1 (mild), 2 (moderate) or 3 (severe)"),
        ("image,score\nP001-1-ED,6\n", "1, 2, 3, 4 or 5"),
        ("image,score\nP001-1-ED,5\nP001-2-ED,2\n", "one subject"),
        ("image,score\nP001-1-ED,3\nP002-1-ED,3\n", "All labels are the same"),
        ("image,score\nnowhere,3\n", "check that they belong together"),
    ],
)
def test_bad_labels_are_refused_in_a_sentence(host, panel, rated_set, tmp_path, rows, sentence):
    labels = tmp_path / "labels.csv"
    labels.write_text(rows)
    choose(panel, rated_set, labels)
    said = checked(host, panel)
    assert sentence in said
    assert not panel.ui.trainButton.enabled and sentence in panel.ui.trainButton.toolTip
    choose(panel, rated_set, rated_set / "IQA.csv")  # other labels: nothing is known of them yet
    assert panel.ui.trainButton.enabled and not panel.ui.checkLabel.visible


def test_clean_images_need_no_labels(host, panel, rated_set):
    choose(panel, rated_set)
    assert not panel.ui.labelsPathLineEdit.enabled
    assert "6 patients, 6 of them" in checked(host, panel)


def test_the_button_says_what_is_lacking(host, panel, rated_set, tmp_path):
    choose(panel, "", "")
    assert not panel.ui.trainButton.enabled and "folder" in panel.ui.trainButton.toolTip
    choose(panel, tmp_path / "none", "")
    assert "is no folder" in panel.ui.checkButton.toolTip
    choose(panel, rated_set, "")
    assert "where the labels are" in panel.ui.trainButton.toolTip
    choose(panel, rated_set, tmp_path / "no.csv")
    assert "no.csv is no file" in panel.ui.trainButton.toolTip


def test_a_check_can_be_stopped(host, panel, rated_set):
    choose(panel, rated_set, rated_set / "IQA.csv")
    panel.ui.checkButton.click()
    panel.ui.checkButton.click()
    assert panel.ui.checkButton.text == "Check the data" and not panel.ui.checkLabel.visible
    assert panel.ui.trainButton.enabled


@pytest.fixture
def study(rated_set, tmp_path):
    """The rated set as a study: anna has scored all of it, bert two images."""
    from MotionQALib.reading.case_list import CaseList
    from MotionQALib.reading.cases import listed
    from MotionQALib.reading.scores import ScoreLog
    from MotionQALib.reading.study import Study

    study = Study.create(tmp_path / "study")
    added = list(CaseList(study).add(listed(rated_set)))
    for reader, cases in (("anna", added), ("bert", added[:2])):
        with ScoreLog.open(study, reader) as log:
            for number, one in enumerate(cases):
                log.save((one.case.key, None, 0), 5 - number % 3)
    return study.folder


def choose_study(panel, data, folder):
    panel.ui.dataPathLineEdit.currentPath = str(data)
    panel.ui.labelsKindComboBox.currentIndex = 1
    panel.ui.labelsPathLineEdit.currentPath = str(folder)


def test_a_study_of_the_labelling_panel_is_learned_from(host, panel, rated_set, study):
    choose_study(panel, rated_set, study)
    combo = panel.ui.readerComboBox
    assert combo.visible and [combo.itemText(i) for i in range(combo.count)] == ["anna", "bert"]
    assert "18 labelled images of 6 subjects" in checked(host, panel)
    combo.currentIndex = 1
    combo.activated.emit(1)
    assert not panel.ui.checkLabel.visible  # that was anna's
    assert "one subject" in checked(host, panel)
    labels = panel.panel.data.labels()
    assert labels.endswith("study-bert.csv") and str(study) not in labels
    choose(panel, rated_set, rated_set / "IQA.csv")
    assert not combo.visible


def test_a_reader_who_still_reads_is_told_nothing_of_the_others(host, panel, rated_set, study):
    from MotionQAWidgets import reader_name

    before = reader_name.remembered()
    reader_name.remember("Bert")
    try:
        choose_study(panel, rated_set, study)
        assert panel.ui.readerComboBox.count == 0
        assert "not scored all cases yet" in panel.ui.checkLabel.text
    finally:
        reader_name.remember(before)


def test_a_folder_that_is_no_study_is_said_to_be_none(host, panel, rated_set, study, tmp_path):
    choose_study(panel, rated_set, tmp_path)
    assert "is no study" in panel.ui.trainButton.toolTip
    (study / "scores" / "anna.jsonl").unlink()
    (study / "scores" / "bert.jsonl").unlink()
    choose_study(panel, rated_set, study)
    assert "Nobody has scored" in panel.ui.trainButton.toolTip
    (study / "study.json").write_text("{")
    choose_study(panel, rated_set, tmp_path)
    choose_study(panel, rated_set, study)
    assert "study.json" in panel.ui.checkLabel.text


def test_another_check_may_begin_when_one_ends(host, rated_set):
    from MotionQATrainerWidgets.background_check import BackgroundCheck

    check, answers = BackgroundCheck(), []

    def once_more(answer):
        answers.append(answer)
        if len(answers) == 1:
            check.start(str(rated_set), None)

    check.finished.connect(once_more)
    check.start(str(rated_set), None)
    host.wait_until(lambda: len(answers) == 2, seconds=LATE)
    assert answers[0] == answers[1] and not check.running


def test_what_was_found_is_not_told_of_other_data(host, rated_set):
    from MotionQATrainerWidgets.background_check import BackgroundCheck

    check, answers = BackgroundCheck(), []
    check.finished.connect(answers.append)
    check.start(str(rated_set), str(rated_set / "IQA.csv"))
    check.progress.connect(lambda *_: check.stop())  # other data were chosen right then
    host.wait_until(lambda: not check.running, seconds=LATE)
    host.process_events(1.0)
    assert not answers

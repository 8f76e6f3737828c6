"""A study is opened by a reader with a name, in one session at a time."""

from __future__ import annotations

import pytest

from host import pythonqt

from .reading_page import make_study

pythonqt(__name__)


def test_a_second_session_is_refused_with_a_sentence(host, page, tmp_path):
    from MotionQALib.reading.session import ReadingSession

    study = make_study(tmp_path / "study", cases=2)
    with ReadingSession(study, "anna"):
        assert not page.open(study)
        assert "open in another session" in page.message
        assert not page.ui.readingFrame.visible
    assert page.open(study)


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_reader_needs_a_name(host, page, tmp_path, name):
    study = make_study(tmp_path / "study", cases=2)
    assert not page.open(study, name)
    assert "name" in page.message


def test_a_folder_without_a_study_is_told_so(host, page, tmp_path):
    host.files.answers.append(str(tmp_path))
    page.ui.readerLineEdit.text = "anna"
    page.ui.openButton.click()
    assert "holds no study" in page.message


def test_the_name_is_remembered(host, page, tmp_path):
    import slicer

    page.ui.readerLineEdit.text = "Dr. B"
    page.ui.readerLineEdit.editingFinished.emit()
    slicer.util.reloadScriptedModule("MotionQA")
    page.module = slicer.util.getModuleWidget("MotionQA")
    page.panel = page.module.labelling
    assert page.panel.ui.readerLineEdit.text == "Dr. B"

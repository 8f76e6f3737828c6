"""Comments and remarks: they go with their own image's score, and none is lost."""

from __future__ import annotations

from host import pythonqt

from .reading_page import log_of, make_study, scores_of

pythonqt(__name__)


def test_keys_are_the_commenters_own_while_typing(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.press("4")
    page.ui.detailsButton.collapsed = False
    comment = page.details.comment
    comment.setFocus()
    host.process_events()
    page.press("3", "Space", "1", widget=comment)
    assert comment.text == "3 1" and scores_of(study) == [4]
    page.press("Return", widget=comment)
    (entry,) = log_of(study).entries.values()
    assert (entry.score, entry.comment) == (4, "3 1")
    page.press("2")  # the image has the keys again
    assert scores_of(study) == [2]
    comment.text = "unfinished"
    page.ui.casesTable.cellClicked.emit(1, 0)
    assert [entry.comment for entry in log_of(study).entries.values()] == ["unfinished"]
    assert comment.text == ""


def test_a_comment_stays_with_its_slice_whatever_moves(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, slices=4, level="slice", order="listed")
    page.open(study)
    page.ui.detailsButton.collapsed = False
    comment = page.details.comment
    page.press("4")
    comment.setFocus()  # before the next slice comes by itself
    host.process_events(0.6)
    assert page.ui.sliceLabel.text == "slice 0 (0–3)"
    page.press("B", widget=comment)
    page.show_slice(2)
    host.process_events()
    assert page.ui.sliceLabel.text == "slice 2 (0–3)" and comment.text == ""
    (entry,) = log_of(study).entries.values()
    assert (entry.key.slice, entry.comment.lower()) == (0, "b")


def test_a_comment_is_kept_when_the_study_is_closed(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.press("4")
    page.details.comment.text = "unfinished"
    page.panel.close_study()
    assert [entry.comment for entry in log_of(study).entries.values()] == ["unfinished"]


def test_remarks_go_with_the_score(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.ui.detailsButton.collapsed = False
    remarks = page.details
    remarks.artefacts["ghosting"].click()  # before the score
    page.press("2")
    remarks.artefacts["flow"].click()  # and after it
    remarks.confidence.currentIndex = remarks.confidence.findData(3)
    remarks.confidence.activated.emit(remarks.confidence.currentIndex)
    (entry,) = log_of(study).entries.values()
    assert (entry.score, entry.artefacts, entry.confidence) == (2, ("ghosting", "flow"), 3)
    page.press("Space")
    assert remarks.values() == {"confidence": None, "artefacts": (), "comment": ""}
    page.ui.previousButton.click()
    assert remarks.values()["artefacts"] == ("ghosting", "flow")


def test_remarks_wait_for_the_score(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.ui.detailsButton.collapsed = False
    remarks = page.details
    remarks.artefacts["blur"].click()
    remarks.comment.text = "apex only"
    said = remarks.values()
    page.press("Space")
    assert not any(remarks.values().values()) and not log_of(study).entries
    host.dialogs.answers = [False]
    assert not page.panel.close_study() and "1 images have remarks" in host.dialogs.texts()[-1]
    page.ui.previousButton.click()
    assert remarks.values() == said
    page.press("3")
    (entry,) = log_of(study).entries.values()
    assert (entry.artefacts, entry.comment) == (("blur",), "apex only")

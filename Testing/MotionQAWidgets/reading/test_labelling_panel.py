"""Reading with the panel: keys, buttons, what is shown, what is hidden, and what is saved."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from host import pythonqt
from MotionQALib.reading.scores import read_scores

from ..graded import assessment, likely
from .images import heart
from .reading_page import make_study

pythonqt(__name__)


def log_of(study, reader: str = "anna"):
    return read_scores(study.scores_folder / f"{reader}.jsonl")


def scores_of(study, reader: str = "anna") -> list[int]:
    return [entry.score for entry in log_of(study, reader).entries.values()]


def test_keys_score_and_lead_on(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    assert page.open(study)
    assert page.ui.caseLabel.text == "Case 1"
    page.press("4")
    assert scores_of(study) == [4]
    assert page.saved.startswith("Saved ") and page.saved.endswith(": 4 · good")
    assert page.shown_score == 4
    page.press("Space", "2", "Space", "5")
    assert scores_of(study) == [4, 2, 5]
    assert "All 3 scored" in page.ui.progressBar.format
    page.press("Space")
    assert "All cases are scored" in page.message
    page.press("Z", control=True)
    assert scores_of(study) == [4, 2] and page.ui.caseLabel.text == "Case 3"
    page.press("1")
    assert scores_of(study) == [4, 2, 1]


def test_slices_follow_each_other_and_the_wheel(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, slices=4, level="slice", order="listed")
    page.open(study)
    assert page.ui.sliceLabel.text == "slice 0 (0–3)" and page.ui.advanceCheckBox.checked
    page.press("5")
    assert "5 · excellent" in page.saved and page.shown_score == 5
    host.wait_until(lambda: page.ui.sliceLabel.text == "slice 1 (0–3)")
    assert page.saved.endswith("Case 1, slice 0: 5 · excellent")
    page.press("3", "4")  # a correction, since the next slice has not come
    assert page.ui.sliceLabel.text == "slice 1 (0–3)"
    given = {key.slice: entry.score for key, entry in log_of(study).entries.items()}
    assert given == {0: 5, 1: 4}
    host.wait_until(lambda: page.ui.sliceLabel.text == "slice 2 (0–3)")
    page.press("1", blindly=True)  # meant for the slice before
    assert "look, then score" in page.message and len(log_of(study).entries) == 2
    page.press("3")
    assert page.message == "" and log_of(study).entries[page.scoring.item.key].score == 3
    page.show_slice(0)
    host.process_events()
    assert page.ui.sliceLabel.text == "slice 0 (0–3)"
    page.ui.advanceCheckBox.checked = False  # else a slow machine is led on before the next key
    page.press("2")
    assert log_of(study).entries[page.scoring.readings[0][0].key].score == 2
    page.press("Space")
    assert page.ui.sliceLabel.text == "slice 3 (0–3)"
    page.press("1", "Space")
    assert page.ui.caseLabel.text == "Case 2" and page.ui.sliceLabel.text == "slice 0 (0–3)"
    assert page.ui.casesTable.item(0, 1).text() == "all 4 slices scored"


def test_keys_held_up_by_loading_are_not_for_the_new_case(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.press("4", "Space")
    page.press("3", blindly=True)
    assert scores_of(study) == [4] and "look, then score" in page.message
    page.press("3")
    assert scores_of(study) == [4, 3] and page.message == ""


def test_what_is_not_in_view_is_not_scored(host, page, tmp_path):
    import slicer

    study = make_study(tmp_path / "study", cases=2, level="slice", order="listed")
    page.open(study)
    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    offset = logic.GetSliceOffset()
    logic.SetSliceOffset(offset + 500)
    page.press("4")
    assert "scroll back" in page.message and not log_of(study).entries
    logic.SetSliceOffset(offset)
    slicer.util.setSliceViewerLayers(background=None)
    page.press("4")
    assert "was not in view" in page.message and not log_of(study).entries
    page.press("4")
    assert scores_of(study) == [4] and page.message == ""


def test_buttons_do_what_keys_do(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    page.open(study)
    button = page.button("score3Button")
    button.click()
    assert scores_of(study) == [3] and button.checked
    page.ui.nextButton.click()
    page.ui.nextButton.click()
    assert page.ui.caseLabel.text == "Case 3" and not page.ui.nextButton.enabled
    page.ui.previousButton.click()
    assert page.ui.caseLabel.text == "Case 2"
    page.ui.casesTable.cellClicked.emit(2, 0)
    assert page.ui.caseLabel.text == "Case 3"
    page.ui.nextUnscoredButton.click()
    assert page.ui.caseLabel.text == "Case 2"
    page.ui.undoButton.click()
    assert scores_of(study) == [] and page.ui.caseLabel.text == "Case 1"
    assert not page.ui.undoButton.enabled


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


def test_keys_are_dead_in_other_tabs_and_modules_and_after_closing(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    assert page.module.tabs.entered is page.panel  # nor is anything of the other tab's in the views
    page.module.tabs.widget.currentIndex = 0
    assert page.module.tabs.entered is page.module.panel
    page.press("4")
    host.leave()
    page.press("4")
    assert scores_of(study) == []
    host.enter("MotionQA")
    page.press("4")
    assert scores_of(study) == []
    page.module.tabs.widget.currentIndex = 1
    page.press("4")
    assert scores_of(study) == [4]
    page.ui.closeButton.click()
    page.press("5")
    assert scores_of(study) == [4]


def texts_in(view) -> int:
    """Texts and lines that lie over a view; the image is none of them."""
    props = view.renderWindow().GetRenderers().GetFirstRenderer().GetViewProps()
    found = [props.GetItemAsObject(number) for number in range(props.GetNumberOfItems())]
    lines = (prop.GetMapper() for prop in found if prop.GetClassName().endswith("Actor2D"))
    texts = sum(prop.GetClassName().endswith("TextActor") for prop in found)
    return texts + sum(mapper.IsA("vtkPolyDataMapper2D") for mapper in lines if mapper)


def test_nothing_is_left_in_views_scene_and_locks(host, page, tmp_path):
    import slicer

    scene, layout = slicer.mrmlScene, slicer.app.layoutManager()
    before = scene.GetNumberOfNodes()
    drawn, shown = texts_in(page.view), layout.layout
    study = make_study(tmp_path / "study", cases=3, order="listed")
    page.open(study)
    page.press("4", "Space")
    assert layout.layout != shown and texts_in(page.view) != drawn
    host.leave()
    assert layout.layout == shown
    assert texts_in(page.view) == drawn
    host.enter("MotionQA")
    page.panel.close_study()
    assert scene.GetNumberOfNodes() == before
    assert not page.panel.reading.beating
    assert page.open(study, "anna") and scores_of(study) == [4]


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


def test_it_survives_the_scene_and_a_reload(host, page, tmp_path):
    import slicer

    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.press("4")
    slicer.mrmlScene.Clear(False)
    host.process_events()
    assert page.node.GetName() == "Case 1"
    page.press("Space", "3")
    assert scores_of(study) == [4, 3]
    slicer.util.reloadScriptedModule("MotionQA")
    page.module = slicer.util.getModuleWidget("MotionQA")
    page.panel, page.ui = page.module.labelling, page.module.labelling.ui
    page.press("1")
    assert scores_of(study) == [4, 3]
    page.module.tabs.widget.currentIndex = 1
    assert page.open(study)  # the lock was given back
    page.press("1")
    assert scores_of(study) == [1, 3]


def test_the_name_is_remembered(host, page, tmp_path):
    import slicer

    page.ui.readerLineEdit.text = "Dr. B"
    page.ui.readerLineEdit.editingFinished.emit()
    slicer.util.reloadScriptedModule("MotionQA")
    page.module = slicer.util.getModuleWidget("MotionQA")
    page.panel = page.module.labelling
    assert page.panel.ui.readerLineEdit.text == "Dr. B"


def test_the_next_case_is_there_at_once(host, page, tmp_path, record_property, monkeypatch):
    """Read ahead, it costs no reading; the times are for the record, as computers differ."""
    from MotionQAWidgets.reading import case_volumes

    study = make_study(tmp_path / "study", cases=6, slices=12, order="listed")
    page.open(study)
    taken, worked, load = [], [], case_volumes.load
    for _case in range(5):
        page.press("4")
        page.wait_for_next_case()
        monkeypatch.setattr(case_volumes, "load", None)  # there is nothing left to read
        started, busy = time.perf_counter(), time.process_time()
        page.panel.reading.next_unscored()
        page.view.forceRender()
        taken.append(round(1000 * (time.perf_counter() - started)))
        worked.append(round(1000 * (time.process_time() - busy)))
        monkeypatch.setattr(case_volumes, "load", load)
    record_property("milliseconds to the next case", taken)
    print(f"to the next case {taken} ms, of which computing {worked} ms")
    assert page.ui.caseLabel.text == "Case 6" and min(taken) < 2000


def write_network(study, path, uncertain=()):
    """What motionqa assess --json writes, of cases that are severe and sure, or uncertain."""
    from MotionQALib.reading.case_list import CaseList
    from MotionQALib.reports import write_json

    found = []
    for number, case in enumerate(CaseList(study).cases):
        certainty = 0.55 if number in uncertain else 0.9
        found.append(
            replace(
                assessment([(1,) * case.n_slices], name=case.name),
                identity=case.key,
                volume_probabilities=likely(1, certainty),
            )
        )
    write_json(found, path)
    return path


def test_the_most_uncertain_case_comes_first(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=5, order="uncertain", blinded=False)
    network = write_network(study, tmp_path / "network.json", uncertain=[3])
    page.open(study)
    host.files.answers.append(str(network))
    button = page.button("networkGradesButton")
    button.click()
    assert page.message == ""
    assert page.scoring.readings[0][0].case.name == "Doe^Jane_03"
    page.panel.close_study()
    network.rename(study.folder / "network.json")  # with the study, it is found by itself
    page.open(study)
    assert page.ui.caseLabel.text == "1 · Doe^Jane_03"
    assert page.ui.networkLabel.text == "The network's grade is hidden."
    page.press("4")
    assert page.ui.networkLabel.text == "You: 4 · good. Network: 1 · severe."


def test_the_network_is_asked_once_the_case_is_scored(host, page, tmp_path, checkpoint_file):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study)
    page.panel.network.checkpoint = str(checkpoint_file)
    page.press("4")
    page.ui.networkButton.click()
    host.wait_until(lambda: "Network:" in page.ui.networkLabel.text, seconds=150)
    assert page.ui.networkLabel.text.startswith("You: 4 · good. Network: ")
    assert not page.ui.networkButton.visible


def test_the_network_grades_all_cases_while_they_are_read(host, page, tmp_path, checkpoint_file):
    study = make_study(tmp_path / "study", cases=3, order="uncertain", blind_to_network=False)
    page.open(study)
    page.panel.network.checkpoint = str(checkpoint_file)
    page.button("gradeAllButton").click()
    page.press("4")
    host.wait_until(lambda: not page.panel.grading_all, seconds=200)
    assert page.files_said == "The network has graded all cases."
    assert len(page.panel.network.known.assessments) == 3
    assert page.scoring.given.score == 4
    assert page.ui.networkLabel.text.startswith("You: 4 · good. Network: ")
    uncertainties = page.panel.network.known.uncertainties("volume")
    order = [uncertainties[reading[0].case.key] for reading in page.scoring.readings]
    assert order == sorted(order, reverse=True)


def test_grading_all_ends_with_the_study(host, page, tmp_path, checkpoint_file):
    study = make_study(tmp_path / "study", cases=2)
    page.open(study)
    page.panel.network.checkpoint = str(checkpoint_file)
    page.panel.grade_all()
    page.panel.close_study()
    assert not page.panel.grading_all


def test_a_cine_is_read_with_slicers_own_controls(host, page, tmp_path):
    import nibabel
    import numpy as np
    import slicer

    (tmp_path / "images").mkdir()
    voxels = np.stack([heart(frame) for frame in range(4)])
    image = nibabel.Nifti1Image(voxels.T, np.diag([1.5, 1.5, 8, 1]))
    nibabel.save(image, tmp_path / "images" / "Doe^Jane.nii.gz")
    study = make_study(tmp_path / "study", cases=1, level="slice", order="listed")
    page.open(study)
    page.scoring.go_to_reading(
        next(n for n, r in enumerate(page.scoring.readings) if r[0].case.n_frames == 4)
    )
    node = page.node
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    before = host.pixels("Red")
    browser.SetSelectedItemNumber(3)
    assert (host.pixels("Red") != before).any()
    page.press("4")
    host.wait_until(lambda: page.ui.sliceLabel.text == "slice 1 (0–2)")
    page.press("3")
    assert scores_of(study) == [4, 3]
    assert node.GetName() == page.ui.caseLabel.text

"""Reading with the panel: keys, buttons, what is shown, what is hidden, and what is saved."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from host import pythonqt
from MotionQALib.reading.scores import read_scores

from ..graded import assessment, likely
from .images import heart
from .room import make_study

pythonqt(__name__)


def log_of(study, reader: str = "anna"):
    return read_scores(study.scores_folder / f"{reader}.jsonl")


def scores_of(study, reader: str = "anna") -> list[int]:
    return [entry.score for entry in log_of(study, reader).entries.values()]


def test_keys_score_and_lead_on(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    assert room.open(study)
    assert room.ui.caseLabel.text == "Case 1"
    room.press("4")
    assert scores_of(study) == [4]
    assert room.saved.startswith("Saved ") and room.saved.endswith(": 4 · good")
    assert room.panel.reading.display.buttons._buttons[4].checked
    room.press("Space", "2", "Space", "5")
    assert scores_of(study) == [4, 2, 5]
    assert "All 3 scored" in room.ui.progressBar.format
    room.press("Space")
    assert "All cases are scored" in room.message
    room.press("Z", control=True)
    assert scores_of(study) == [4, 2] and room.ui.caseLabel.text == "Case 3"
    room.press("1")
    assert scores_of(study) == [4, 2, 1]


def test_slices_follow_each_other_and_the_wheel(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, slices=4, level="slice", order="listed")
    room.open(study)
    assert room.ui.sliceLabel.text == "slice 0 (0–3)" and room.ui.advanceCheckBox.checked
    room.press("5")
    assert "5 · excellent" in room.saved and room.panel.reading.display.buttons._buttons[5].checked
    host.wait_until(lambda: room.ui.sliceLabel.text == "slice 1 (0–3)")
    assert room.saved.endswith("Case 1, slice 0: 5 · excellent")
    room.press("3", "4")  # a correction, since the next slice has not come
    assert room.ui.sliceLabel.text == "slice 1 (0–3)"
    given = {place.slice: entry.score for place, entry in log_of(study).entries.items()}
    assert given == {0: 5, 1: 4}
    host.wait_until(lambda: room.ui.sliceLabel.text == "slice 2 (0–3)")
    room.press("1", blindly=True)  # meant for the slice before
    assert "look, then score" in room.message and len(log_of(study).entries) == 2
    room.press("3")
    assert room.message == "" and log_of(study).entries[room.desk.item.place].score == 3
    room.panel.reading.stage._view.show_slice(0)  # as the wheel does
    host.process_events()
    assert room.ui.sliceLabel.text == "slice 0 (0–3)"
    room.press("2")
    assert log_of(study).entries[room.desk.visits[0][0].place].score == 2
    room.press("Space")
    assert room.ui.sliceLabel.text == "slice 3 (0–3)"
    room.press("1", "Space")
    assert room.ui.caseLabel.text == "Case 2" and room.ui.sliceLabel.text == "slice 0 (0–3)"
    assert room.ui.casesTable.item(0, 1).text() == "all 4 slices scored"


def test_keys_held_up_by_loading_are_not_for_the_new_case(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.press("4", "Space")
    room.press("3", blindly=True)
    assert scores_of(study) == [4] and "look, then score" in room.message
    room.press("3")
    assert scores_of(study) == [4, 3] and room.message == ""


def test_what_is_not_in_view_is_not_scored(host, room, tmp_path):
    import slicer

    study = make_study(tmp_path / "study", cases=2, level="slice", order="listed")
    room.open(study)
    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    offset = logic.GetSliceOffset()
    logic.SetSliceOffset(offset + 500)
    room.press("4")
    assert "scroll back" in room.message and not log_of(study).entries
    logic.SetSliceOffset(offset)
    slicer.util.setSliceViewerLayers(background=None)
    room.press("4")
    assert "was not in view" in room.message and not log_of(study).entries
    room.press("4")
    assert scores_of(study) == [4] and room.message == ""


def test_buttons_do_what_keys_do(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    room.open(study)
    button = room.panel.reading.display.buttons._buttons[3]
    button.click()
    assert scores_of(study) == [3] and button.checked
    room.ui.nextButton.click()
    room.ui.nextButton.click()
    assert room.ui.caseLabel.text == "Case 3" and not room.ui.nextButton.enabled
    room.ui.previousButton.click()
    assert room.ui.caseLabel.text == "Case 2"
    room.ui.casesTable.cellClicked.emit(2, 0)
    assert room.ui.caseLabel.text == "Case 3"
    room.ui.nextUnscoredButton.click()
    assert room.ui.caseLabel.text == "Case 2"
    room.ui.undoButton.click()
    assert scores_of(study) == [] and room.ui.caseLabel.text == "Case 1"
    assert not room.ui.undoButton.enabled


def test_keys_are_the_commenters_own_while_typing(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.press("4")
    room.ui.detailsButton.collapsed = False
    comment = room.panel.reading.display.remarks.comment
    comment.setFocus()
    host.process_events()
    room.press("3", "Space", "1", widget=comment)
    assert comment.text == "3 1" and scores_of(study) == [4]
    room.press("Return", widget=comment)
    (entry,) = log_of(study).entries.values()
    assert (entry.score, entry.comment) == (4, "3 1")
    room.press("2")  # the image has the keys again
    assert scores_of(study) == [2]
    comment.text = "unfinished"
    room.ui.casesTable.cellClicked.emit(1, 0)
    assert [entry.comment for entry in log_of(study).entries.values()] == ["unfinished"]
    assert comment.text == ""


def test_a_comment_stays_with_its_slice_whatever_moves(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, slices=4, level="slice", order="listed")
    room.open(study)
    room.ui.detailsButton.collapsed = False
    comment = room.panel.reading.display.remarks.comment
    room.press("4")
    comment.setFocus()  # before the next slice comes by itself
    host.process_events(0.6)
    assert room.ui.sliceLabel.text == "slice 0 (0–3)"
    room.press("B", widget=comment)
    room.panel.reading.stage._view.show_slice(2)  # as the wheel does, which takes no focus
    host.process_events()
    assert room.ui.sliceLabel.text == "slice 2 (0–3)" and comment.text == ""
    (entry,) = log_of(study).entries.values()
    assert (entry.place.slice, entry.comment.lower()) == (0, "b")


def test_a_comment_is_kept_when_the_study_is_closed(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.press("4")
    room.panel.reading.display.remarks.comment.text = "unfinished"
    room.panel.close_study()
    assert [entry.comment for entry in log_of(study).entries.values()] == ["unfinished"]


def test_remarks_go_with_the_score(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.ui.detailsButton.collapsed = False
    remarks = room.panel.reading.display.remarks
    remarks.artefacts["ghosting"].click()  # before the score
    room.press("2")
    remarks.artefacts["flow"].click()  # and after it
    remarks.confidence.currentIndex = remarks.confidence.findData(3)
    remarks.confidence.activated.emit(remarks.confidence.currentIndex)
    (entry,) = log_of(study).entries.values()
    assert (entry.score, entry.artefacts, entry.confidence) == (2, ("ghosting", "flow"), 3)
    room.press("Space")
    assert remarks.values() == {"confidence": None, "artefacts": (), "comment": ""}
    room.ui.previousButton.click()
    assert remarks.values()["artefacts"] == ("ghosting", "flow")


def test_remarks_wait_for_the_score(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.ui.detailsButton.collapsed = False
    remarks = room.panel.reading.display.remarks
    remarks.artefacts["blur"].click()
    remarks.comment.text = "apex only"
    said = remarks.values()
    room.press("Space")
    assert not any(remarks.values().values()) and not log_of(study).entries
    host.dialogs.answers = [False]
    assert not room.panel.close_study() and "1 images have remarks" in host.dialogs.texts()[-1]
    room.ui.previousButton.click()
    assert remarks.values() == said
    room.press("3")
    (entry,) = log_of(study).entries.values()
    assert (entry.artefacts, entry.comment) == (("blur",), "apex only")


def test_keys_are_dead_in_other_tabs_and_modules_and_after_closing(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    assert not room.module.panel._entered  # nor is anything of the other tab's in the views
    room.module.tabs.widget.currentIndex = 0
    assert room.module.panel._entered
    room.press("4")
    host.leave()
    room.press("4")
    assert scores_of(study) == []
    host.enter("MotionQA")
    room.press("4")
    assert scores_of(study) == []
    room.module.tabs.widget.currentIndex = 1
    room.press("4")
    assert scores_of(study) == [4]
    room.ui.closeButton.click()
    room.press("5")
    assert scores_of(study) == [4]


def texts_in(view) -> int:
    """Texts and lines that lie over a view; the image is none of them."""
    props = view.renderWindow().GetRenderers().GetFirstRenderer().GetViewProps()
    found = [props.GetItemAsObject(number) for number in range(props.GetNumberOfItems())]
    lines = (prop.GetMapper() for prop in found if prop.GetClassName().endswith("Actor2D"))
    texts = sum(prop.GetClassName().endswith("TextActor") for prop in found)
    return texts + sum(mapper.IsA("vtkPolyDataMapper2D") for mapper in lines if mapper)


def test_nothing_is_left_in_views_scene_and_locks(host, room, tmp_path):
    import slicer

    scene, layout = slicer.mrmlScene, slicer.app.layoutManager()
    before = scene.GetNumberOfNodes()
    drawn, shown = texts_in(room.view), layout.layout
    study = make_study(tmp_path / "study", cases=3, order="listed")
    room.open(study)
    room.press("4", "Space")
    assert layout.layout != shown and texts_in(room.view) != drawn
    host.leave()
    assert layout.layout == shown
    assert texts_in(room.view) == drawn
    host.enter("MotionQA")
    room.panel.close_study()
    assert scene.GetNumberOfNodes() == before
    assert not room.panel.reading._beat.active
    assert room.open(study, "anna") and scores_of(study) == [4]


def test_a_second_session_is_refused_with_a_sentence(host, room, tmp_path):
    from MotionQALib.reading.session import ReadingSession

    study = make_study(tmp_path / "study", cases=2)
    with ReadingSession(study, "anna"):
        assert not room.open(study)
        assert "open in another session" in room.message
        assert not room.ui.readingFrame.visible
    assert room.open(study)


@pytest.mark.parametrize("name", ["", "a/b"])
def test_a_reader_needs_a_name(host, room, tmp_path, name):
    study = make_study(tmp_path / "study", cases=2)
    assert not room.open(study, name)
    assert "name" in room.message


def test_a_folder_without_a_study_is_told_so(host, room, tmp_path):
    host.files.answers.append(str(tmp_path))
    room.ui.readerLineEdit.text = "anna"
    room.ui.openButton.click()
    assert "holds no study" in room.message


def test_it_survives_the_scene_and_a_reload(host, room, tmp_path):
    import slicer

    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.press("4")
    slicer.mrmlScene.Clear(False)
    host.process_events()
    assert room.panel.reading.stage.node.GetName() == "Case 1"
    room.press("Space", "3")
    assert scores_of(study) == [4, 3]
    slicer.util.reloadScriptedModule("MotionQA")
    room.module = slicer.util.getModuleWidget("MotionQA")
    room.panel, room.ui = room.module.labelling, room.module.labelling.ui
    room.press("1")
    assert scores_of(study) == [4, 3]
    room.module.tabs.widget.currentIndex = 1
    assert room.open(study)  # the lock was given back
    room.press("1")
    assert scores_of(study) == [1, 3]


def test_the_name_is_remembered(host, room, tmp_path):
    import slicer

    room.ui.readerLineEdit.text = "Dr. B"
    room.ui.readerLineEdit.editingFinished.emit()
    slicer.util.reloadScriptedModule("MotionQA")
    room.module = slicer.util.getModuleWidget("MotionQA")
    room.panel = room.module.labelling
    assert room.panel.ui.readerLineEdit.text == "Dr. B"


def test_the_next_case_is_there_at_once(host, room, tmp_path, record_property, monkeypatch):
    """Read ahead, it costs no reading; the times are for the record, as computers differ."""
    from MotionQAWidgets.reading import case_volumes

    study = make_study(tmp_path / "study", cases=6, slices=12, order="listed")
    room.open(study)
    taken, worked, load = [], [], case_volumes.load
    for _case in range(5):
        room.press("4")
        following = room.desk.visits[room.desk.next_visit][0].case.key
        host.wait_until(lambda key=following: room.panel.reading.stage._volumes.is_ready(key))
        monkeypatch.setattr(case_volumes, "load", None)  # there is nothing left to read
        started, busy = time.perf_counter(), time.process_time()
        room.panel.reading.next_unscored()
        room.view.forceRender()
        taken.append(round(1000 * (time.perf_counter() - started)))
        worked.append(round(1000 * (time.process_time() - busy)))
        monkeypatch.setattr(case_volumes, "load", load)
    record_property("milliseconds to the next case", taken)
    print(f"to the next case {taken} ms, of which computing {worked} ms")
    assert room.ui.caseLabel.text == "Case 6" and min(taken) < 2000


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


def test_the_most_uncertain_case_comes_first(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=5, order="uncertain", blinded=False)
    network = write_network(study, tmp_path / "network.json", uncertain=[3])
    room.open(study)
    host.files.answers.append(str(network))
    button = room.ui.filesFrame.findChild(type(room.ui.openButton), "networkGradesButton")
    button.click()
    assert room.message == ""
    assert room.desk.visits[0][0].case.name == "Doe^Jane_03"
    room.panel.close_study()
    network.rename(study.folder / "network.json")  # with the study, it is found by itself
    room.open(study)
    assert room.ui.caseLabel.text == "1 · Doe^Jane_03"
    assert room.ui.networkLabel.text == "The network's grade is hidden."
    room.press("4")
    assert room.ui.networkLabel.text == "You: 4 · good. Network: 1 · severe."


def test_the_network_is_asked_once_the_case_is_scored(host, room, tmp_path, checkpoint_file):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study)
    room.panel.network.checkpoint = str(checkpoint_file)
    room.press("4")
    room.ui.networkButton.click()
    host.wait_until(lambda: "Network:" in room.ui.networkLabel.text, seconds=150)
    assert room.ui.networkLabel.text.startswith("You: 4 · good. Network: ")
    assert not room.ui.networkButton.visible


def test_the_network_grades_all_cases_while_they_are_read(host, room, tmp_path, checkpoint_file):
    study = make_study(tmp_path / "study", cases=3, order="uncertain", blind_to_network=False)
    room.open(study)
    room.panel.network.checkpoint = str(checkpoint_file)
    room.ui.filesFrame.findChild(type(room.ui.openButton), "gradeAllButton").click()
    room.press("4")
    host.wait_until(lambda: room.panel._run is None, seconds=200)
    assert room.panel.results.files.label.text == "The network has graded all cases."
    assert len(room.panel.network.known.assessments) == 3
    assert room.desk.given.score == 4
    assert room.ui.networkLabel.text.startswith("You: 4 · good. Network: ")
    uncertainties = room.panel.network.known.uncertainties("volume")
    order = [uncertainties[visit[0].case.key] for visit in room.desk.visits]
    assert order == sorted(order, reverse=True)


def test_grading_all_ends_with_the_study(host, room, tmp_path, checkpoint_file):
    study = make_study(tmp_path / "study", cases=2)
    room.open(study)
    room.panel.network.checkpoint = str(checkpoint_file)
    room.panel.grade_all()
    room.panel.close_study()
    assert room.panel._run is None


def test_a_cine_is_read_with_slicers_own_controls(host, room, tmp_path):
    import nibabel
    import numpy as np
    import slicer

    (tmp_path / "images").mkdir()
    voxels = np.stack([heart(frame) for frame in range(4)])
    image = nibabel.Nifti1Image(voxels.T, np.diag([1.5, 1.5, 8, 1]))
    nibabel.save(image, tmp_path / "images" / "Doe^Jane.nii.gz")
    study = make_study(tmp_path / "study", cases=1, level="slice", order="listed")
    room.open(study)
    room.desk.go_to_visit(
        next(n for n, v in enumerate(room.desk.visits) if v[0].case.n_frames == 4)
    )
    node = room.panel.reading.stage.node
    browser = slicer.modules.sequences.logic().GetFirstBrowserNodeForProxyNode(node)
    before = host.pixels("Red")
    browser.SetSelectedItemNumber(3)
    assert (host.pixels("Red") != before).any()
    room.press("4")
    host.wait_until(lambda: room.ui.sliceLabel.text == "slice 1 (0–2)")
    room.press("3")
    assert scores_of(study) == [4, 3]
    assert node.GetName() == room.ui.caseLabel.text

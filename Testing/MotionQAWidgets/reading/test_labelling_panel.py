"""Reading with the panel: keys, buttons, what is in view, and what is left behind."""

from __future__ import annotations

import time

from host import pythonqt

from .images import heart
from .reading_page import log_of, make_study, scores_of

pythonqt(__name__)


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

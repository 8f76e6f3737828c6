"""No score is given to an image that was not the one in view."""

from __future__ import annotations

import numpy as np

from host import pythonqt
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.study import Study

from .images import write_study
from .reading_page import make_study

pythonqt(__name__)


def test_a_score_is_only_for_the_slice_in_view(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, slices=4, level="slice", order="listed")
    page.open(study)
    page.scoring.session.index = 2  # as if a view had not followed
    page.press("4")
    assert "Another slice came into view" in page.message and not page.entries
    page.press("4")
    assert [key.slice for key in page.entries] == [0]


def test_a_file_that_was_replaced_is_not_shown_as_the_case(host, page, tmp_path):
    """Its scores would be those of another image."""
    study = make_study(tmp_path / "study", cases=3, order="listed")
    one, *_others, last = sorted((tmp_path / "images").iterdir())
    one.write_bytes(last.read_bytes())
    page.open(study)
    assert "Case 1 is not the image that was added" in page.message
    page.press("4")
    assert not page.entries and page.node is None
    assert "Doe" not in page.message
    page.press("Space", "4")
    assert [entry.score for entry in page.entries.values()] == [4]


def test_another_scenes_volumes_are_not_taken_for_the_cases(host, page, tmp_path):
    """Their ids are those that the cases' volumes had."""
    import slicer

    from MotionQAWidgets.reading.scene_cases import volumes_in_scene

    one, two, stranger = write_study(tmp_path / "images", 3)
    ids = [slicer.util.loadVolume(str(path)).GetID() for path in (one, two)]
    study = Study.create(tmp_path / "study", order="listed")
    CaseList(study).add_volumes([volume for _node, volume in volumes_in_scene()])
    page.open(study)
    slicer.mrmlScene.Clear(False)
    others = [slicer.util.loadVolume(str(path)) for path in (stranger, one)]
    assert [node.GetID() for node in others] == ids
    host.process_events()
    page.press("Space")  # to Case 2, which is not there
    assert "not where it was" in page.message
    page.press("4")
    assert not page.entries
    page.ui.previousButton.click()  # Case 1 is, under the ID of another
    shown = slicer.util.arrayFromVolume(page.node)
    assert np.array_equal(shown, slicer.util.arrayFromVolume(others[1]))

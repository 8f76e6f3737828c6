"""What a blinded reader must not find in Slicer's window, and when the network may speak."""

from __future__ import annotations

import pytest

from host import pythonqt
from MotionQALib.reading.scores import read_scores
from MotionQALib.reports import write_json

from ..graded import assessment
from .room import make_study

pythonqt(__name__)


def everything_shown() -> str:
    """All texts of the window's widgets, all nodes, the subject hierarchy, the corner texts."""
    import slicer
    import vtk

    said = []
    window = slicer.util.mainWindow()
    for widget in [*slicer.util.findChildren(window), window]:
        for name in ("text", "title", "toolTip", "windowTitle", "currentText", "format"):
            value = getattr(widget, name, None)
            said.append(value if isinstance(value, str) else "")
        if widget.inherits("QTableWidget"):
            cells = (
                widget.item(row, column)
                for row in range(widget.rowCount)
                for column in range(widget.columnCount)
            )
            said += [f"{cell.text()} {cell.toolTip()}" for cell in cells if cell is not None]
    scene = slicer.mrmlScene
    said += [str(scene.GetNthNode(number)) for number in range(scene.GetNumberOfNodes())]
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    items = vtk.vtkIdList()
    hierarchy.GetItemChildren(hierarchy.GetSceneItemID(), items, True)
    said += [hierarchy.GetItemName(items.GetId(n)) for n in range(items.GetNumberOfIds())]
    corner = slicer.app.layoutManager().sliceWidget("Red").sliceView().cornerAnnotation()
    said += [corner.GetText(number) or "" for number in range(8)]
    return "\n".join(said)


def test_a_blinded_reader_finds_no_name(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=3, repeats=0.34)
    room.open(study)
    for _case in range(4):
        room.press("4")
        host.process_events(0.4)  # the next one is read ahead
        assert "Doe" not in everything_shown()
        room.press("Space")
    assert "Case 4" in everything_shown()


def test_who_is_not_blinded_sees_it(host, room, tmp_path):
    room.open(make_study(tmp_path / "study", cases=2, blinded=False, order="listed"))
    assert room.ui.caseLabel.text == "1 · Doe^Jane_00"
    assert "Doe^Jane_00" in everything_shown()


def test_a_missing_file_is_said_without_its_name(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    room.open(study)
    assert "Case 1 is not where it was" in room.message
    assert room.ui.casesTable.item(1, 1).text() == "file missing"
    assert "Doe" not in everything_shown()
    room.press("4")
    assert not room.desk.session.log.entries


@pytest.mark.parametrize("blinded", [True, False])
def test_problems_with_files_are_counted_to_a_blinded_reader(host, room, tmp_path, blinded):
    study = make_study(tmp_path / "study", cases=2, order="listed", blinded=blinded)
    room.open(study)
    said = []

    def look():
        said.append(everything_shown())

    (tmp_path / "images" / "Doe^Jane_09.nrrd").write_text("NRRD, but torn")
    room.panel.add_images(tmp_path / "images")
    host.wait_until(lambda: room.panel._intake is None)
    assert ("Problems with images: 1." in room.message) == blinded
    look()
    stranger = assessment([(1, 1, 1)], name="Doe^Jane_42")
    write_json([stranger], tmp_path / "grades.json")
    room.panel.use_network(tmp_path / "grades.json")
    assert ("Problems with images: 1." in room.message) == blinded
    look()
    room.panel._on_graded(None, "Doe^Jane_00.nrrd cannot be read.")
    assert ("could not grade 2 of 2 cases" in room.panel.results.files.label.text) == blinded
    look()
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\nDoe^Jane_77,3\n")
    room.panel.results.files.import_labels.emit(labels)
    assert ("Problems with images: 1." in room.panel.results.files.label.text) == blinded
    look()
    assert all(("Doe" in text) != blinded for text in said)


def graded(room, scores=(1, 1, 1), volume_score: int = 1):
    """Let the network have graded the case that is shown."""
    node = room.panel.reading.stage.node
    results = room.module.logic.grading.results
    results.store(node, assessment([scores], volume_score=volume_score))
    return results, node


@pytest.mark.parametrize("level", ["volume", "slice"])
def test_the_network_is_hidden_until_the_case_is_scored(host, room, tmp_path, level):
    study = make_study(tmp_path / "study", cases=2, level=level, order="listed")
    room.open(study)
    room.ui.advanceCheckBox.checked = False
    results, node = graded(room)
    last = 0 if level == "volume" else 2
    for number in range(last + 1):
        assert results.result_for(node) is None  # so no panel and no overlay shows it
        assert room.ui.networkLabel.text == "The network's grade is hidden."
        assert not room.ui.networkButton.visible
        room.press("4")
        if number < last:
            room.press("Space")
    assert results.result_for(node) is not None
    assert room.ui.networkLabel.text.startswith("You: 4 · good. Network: 1 · severe")
    words, _grade = room.panel.reading.display.badge(None if level == "volume" else last)
    assert words.startswith("4 · good\nnetwork 1 · severe")
    room.press("Z", control=True)
    assert results.result_for(node) is None
    room.panel.close_study()


def test_the_first_of_two_readings_tells_nothing_for_the_second(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed", repeats=0.5)
    room.open(study)
    repeated = next(v for v in room.desk.visits if v[0].place.repeat == 1)[0].case.key
    first = next(n for n, v in enumerate(room.desk.visits) if v[0].case.key == repeated)
    room.desk.go_to_visit(first)
    results, node = graded(room)
    room.press("4")
    assert results.result_for(node) is None


def test_an_open_study_shows_the_network_from_the_start(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed", blind_to_network=False)
    room.open(study)
    graded(room)
    assert room.ui.networkLabel.text.startswith("Network: 1 · severe")


def test_others_scores_are_not_shown_before_the_end(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study, "ben")
    room.press("1", "Space", "1")
    room.panel.close_study()
    room.open(study, "anna")
    results = room.panel.results
    host.dialogs.answers = [False]  # no, she will not only adjudicate
    for ask in (results.agreement.button, results.consensus.start_button):
        ask.click()
    assert "not scored all cases yet" in results.agreement.label.text
    assert "not scored all cases yet" in results.consensus.label.text
    assert "sees all readers' scores" in host.dialogs.texts()[-1]
    assert results.agreement.table.rowCount == 0 and not results.consensus.desk.visible
    room.press("1")
    asked = len(host.dialogs.texts())
    results.consensus.start_button.click()
    assert results.consensus.table.rowCount == 0 and len(host.dialogs.texts()) == asked
    room.press("Space", "2")
    results.agreement.button.click()
    assert results.agreement.table.rowCount == 1


def test_an_adjudicator_need_not_have_read(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    room.open(study, "ben")
    room.press("1", "Space", "2")
    room.panel.close_study()
    room.open(study, "prof")
    consensus = room.panel.results.consensus
    host.dialogs.answers = [True]
    consensus.start_button.click()
    assert consensus.table.rowCount == 2 and not room.ui.detailsFrame.enabled
    room.press("3")
    settled = read_scores(study.scores_folder / "consensus.jsonl").entries.values()
    assert [(entry.score, entry.adjudicator) for entry in settled] == [(3, "prof")]
    assert not room.desk.session.log.entries
    consensus.start_button.click()
    assert room.ui.detailsFrame.enabled


@pytest.mark.parametrize("lost", ["missing", "torn"])
def test_a_case_that_cannot_be_read_does_not_keep_the_reading_open(host, room, tmp_path, lost):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    path = sorted((tmp_path / "images").iterdir())[1]
    content = path.read_bytes()
    path.unlink() if lost == "missing" else path.write_bytes(content[:300])
    room.open(study)
    room.press("1", "Space")
    assert "Case 2 is not" in room.message and "1 of 2" in room.ui.progressBar.format
    assert room.ui.casesTable.item(1, 1).text() in ("file missing", "cannot be read")
    session = room.desk.session
    assert not session.may_see_others
    room.press("Space", "2")
    assert room.ui.caseLabel.text == "Case 3" and session.may_see_others
    assert room.ui.progressBar.format == "All 2 scored; 1 cannot be read"
    room.press("Space")
    assert "All cases that can be read are scored" in room.message
    path.write_bytes(content)  # it is found again: now it is waited for
    room.panel.add_images(tmp_path / "images")
    host.wait_until(lambda: room.panel._intake is None)
    assert not session.may_see_others
    room.press("Space", "3")
    assert session.may_see_others and room.ui.progressBar.format.startswith("All 3 scored")


def test_a_study_that_has_vanished_is_not_finished(host, room, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    room.open(study)
    room.press("Space")
    assert len(room.desk.session.unreadable) == 2 and not room.desk.session.may_see_others

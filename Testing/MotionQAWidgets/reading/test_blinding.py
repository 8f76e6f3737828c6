"""What a blinded reader must not find in Slicer's window, and when the network may speak."""

from __future__ import annotations

import json

import pytest

from host import pythonqt
from MotionQALib.reading.scores import read_scores
from MotionQALib.reports import write_json
from MotionQALib.signals import Signal

from ..graded import assessment
from .reading_page import make_study

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


def test_a_blinded_reader_finds_no_name(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=3, repeats=0.34)
    page.open(study)
    for _case in range(4):
        page.press("4")
        host.process_events(0.4)  # the next one is read ahead
        assert "Doe" not in everything_shown()
        page.press("Space")
    assert "Case 4" in everything_shown()


def test_who_is_not_blinded_sees_it(host, page, tmp_path):
    page.open(make_study(tmp_path / "study", cases=2, blinded=False, order="listed"))
    assert page.ui.caseLabel.text == "1 · Doe^Jane_00"
    assert "Doe^Jane_00" in everything_shown()


@pytest.mark.parametrize("blinded", [True, False])
def test_what_was_remarked_of_a_file_is_said_by_its_number(host, page, tmp_path, blinded):
    """What it was about may name files and dates."""
    study = make_study(tmp_path / "study", cases=2, blinded=blinded, order="listed")
    lines = study.cases_file.read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    for record in records:
        if record.get("name") == "Doe^Jane_00":
            record["remarks"] = ["Slice 2 was acquired twice; Doe.dcm is graded."]
        elif "key" in record:
            record["remarks"] = []
    study.cases_file.write_text("".join(json.dumps(r) + "\n" for r in records), "utf-8")
    page.open(study)
    said = page.ui.remarksLabel
    assert said.visible and ("Doe.dcm" in said.text) is not blinded
    assert ("Case 1: how its file was read is to be doubted" in said.text) is blinded
    assert not blinded or "Doe" not in everything_shown()
    page.press("4")
    page.press("Space")
    assert not said.visible


def test_a_missing_file_is_said_without_its_name(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    page.open(study)
    assert "Case 1 is not where it was" in page.message
    assert page.ui.casesTable.item(1, 1).text() == "file missing"
    assert "Doe" not in everything_shown()
    page.press("4")
    assert not page.entries


@pytest.mark.parametrize("blinded", [True, False])
def test_problems_with_files_are_counted_to_a_blinded_reader(
    host, page, tmp_path, blinded, monkeypatch
):
    from MotionQAWidgets.reading import labelling_panel

    class Run:
        """A grading of all cases that ends when the test says so."""

        finished = Signal()

    study = make_study(tmp_path / "study", cases=2, order="listed", blinded=blinded)
    page.open(study)
    said = []

    def look():
        said.append(everything_shown())

    (tmp_path / "images" / "Doe^Jane_09.nrrd").write_text("NRRD, but torn")
    page.panel.add_images(tmp_path / "images")
    host.wait_until(lambda: not page.panel.importing)
    assert ("Problems with images: 1." in page.message) == blinded
    look()
    stranger = assessment([(1, 1, 1)], name="Doe^Jane_42")
    write_json([stranger], tmp_path / "grades.json")
    page.panel.use_network(tmp_path / "grades.json")
    assert ("Problems with images: 1." in page.message) == blinded
    look()
    run = Run()
    monkeypatch.setattr(labelling_panel, "NetworkRun", lambda *_args: run)
    page.panel.grade_all()
    run.finished.emit(None, "Doe^Jane_00.nrrd cannot be read.")
    assert ("could not grade 2 of 2 cases" in page.files_said) == blinded
    look()
    labels = tmp_path / "labels.csv"
    labels.write_text("image,score\nDoe^Jane_77,3\n")
    page.panel.files.view.import_labels.emit(labels)
    assert ("Problems with images: 1." in page.files_said) == blinded
    look()
    assert all(("Doe" in text) != blinded for text in said)


def graded(page, scores=(1, 1, 1), volume_score: int = 1):
    """Let the network have graded the case that is shown."""
    node = page.node
    results = page.module.logic.grading.results
    results.store(node, assessment([scores], volume_score=volume_score))
    return results, node


@pytest.mark.parametrize("level", ["volume", "slice"])
def test_the_network_is_hidden_until_the_case_is_scored(host, page, tmp_path, level):
    study = make_study(tmp_path / "study", cases=2, level=level, order="listed")
    page.open(study)
    page.ui.advanceCheckBox.checked = False
    results, node = graded(page)
    last = 0 if level == "volume" else 2
    for number in range(last + 1):
        assert results.result_for(node) is None  # so no panel and no overlay shows it
        assert page.ui.networkLabel.text == "The network's grade is hidden."
        assert not page.ui.networkButton.visible
        page.press("4")
        if number < last:
            page.press("Space")
    assert results.result_for(node) is not None
    assert page.ui.networkLabel.text.startswith("You: 4 · good. Network: 1 · severe")
    words = page.badge(None if level == "volume" else last)
    assert words.startswith("4 · good\nnetwork 1 · severe")
    page.press("Z", control=True)
    assert results.result_for(node) is None
    page.panel.close_study()


def test_the_first_of_two_readings_tells_nothing_for_the_second(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed", repeats=0.5)
    page.open(study)
    repeated = next(r for r in page.scoring.readings if r[0].key.repeat == 1)[0].case.key
    first = next(n for n, r in enumerate(page.scoring.readings) if r[0].case.key == repeated)
    page.scoring.go_to_reading(first)
    results, node = graded(page)
    page.press("4")
    assert results.result_for(node) is None


def test_an_open_study_shows_the_network_from_the_start(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed", blind_to_network=False)
    page.open(study)
    graded(page)
    assert page.ui.networkLabel.text.startswith("Network: 1 · severe")


def test_others_scores_are_not_shown_before_the_end(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study, "ben")
    page.press("1", "Space", "1")
    page.panel.close_study()
    page.open(study, "anna")
    host.dialogs.answers = [False]  # no, she will not only adjudicate
    for ask in (page.agreement.button, page.adjudication.start_button):
        ask.click()
    assert "not scored all cases yet" in page.agreement.label.text
    assert "not scored all cases yet" in page.adjudication.label.text
    assert "sees all readers' scores" in host.dialogs.texts()[-1]
    assert page.agreement.table.rowCount == 0 and not page.adjudication.content.visible
    page.press("1")
    asked = len(host.dialogs.texts())
    page.adjudication.start_button.click()
    assert page.adjudication.table.rowCount == 0 and len(host.dialogs.texts()) == asked
    page.press("Space", "2")
    page.agreement.button.click()
    assert page.agreement.table.rowCount == 1


def test_an_adjudicator_need_not_have_read(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    page.open(study, "ben")
    page.press("1", "Space", "2")
    page.panel.close_study()
    page.open(study, "prof")
    consensus = page.adjudication
    host.dialogs.answers = [True]
    consensus.start_button.click()
    assert consensus.table.rowCount == 2 and not page.ui.detailsFrame.enabled
    page.press("3")
    settled = read_scores(study.scores_folder / "consensus.jsonl").entries.values()
    assert [(entry.score, entry.adjudicator) for entry in settled] == [(3, "prof")]
    assert not page.entries
    consensus.start_button.click()
    assert page.ui.detailsFrame.enabled


@pytest.mark.parametrize("lost", ["missing", "torn"])
def test_a_case_that_cannot_be_read_does_not_keep_the_reading_open(host, page, tmp_path, lost):
    study = make_study(tmp_path / "study", cases=3, order="listed")
    path = sorted((tmp_path / "images").iterdir())[1]
    content = path.read_bytes()
    path.unlink() if lost == "missing" else path.write_bytes(content[:300])
    page.open(study)
    page.press("1", "Space")
    assert "Case 2 is not" in page.message and "1 of 2" in page.ui.progressBar.format
    assert page.ui.casesTable.item(1, 1).text() in ("file missing", "cannot be read")
    session = page.scoring.session
    assert not session.may_see_others
    page.press("Space", "2")
    assert page.ui.caseLabel.text == "Case 3" and session.may_see_others
    assert page.ui.progressBar.format == "All 2 scored; 1 cannot be read"
    page.press("Space")
    assert "All cases that can be read are scored" in page.message
    path.write_bytes(content)  # it is found again: now it is waited for
    page.panel.add_images(tmp_path / "images")
    host.wait_until(lambda: not page.panel.importing)
    assert not session.may_see_others
    page.press("Space", "3")
    assert session.may_see_others and page.ui.progressBar.format.startswith("All 3 scored")


def test_a_study_that_has_vanished_is_not_finished(host, page, tmp_path):
    study = make_study(tmp_path / "study", cases=2, order="listed")
    for path in (tmp_path / "images").iterdir():
        path.unlink()
    page.open(study)
    page.press("Space")
    assert len(page.scoring.session.unreadable) == 2 and not page.scoring.session.may_see_others

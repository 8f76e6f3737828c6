"""The network beside the reader: asked once a case is scored, or for the order of all."""

from __future__ import annotations

from dataclasses import replace

from host import pythonqt

from ..graded import assessment, likely
from .reading_page import make_study

pythonqt(__name__)


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

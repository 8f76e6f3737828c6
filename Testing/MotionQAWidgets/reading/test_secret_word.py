"""A study full of a secret word: no panel, page or file that a blinded reader opens has it."""

from __future__ import annotations

import csv

import nibabel
import numpy as np
import pytest

from host import pythonqt
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import listed
from MotionQALib.reading.study import Study
from MotionQALib.reports import write_json

from ..graded import assessment
from .images import heart, write_nrrd
from .test_blinding import everything_shown
from .test_case_view import write_series

pythonqt(__name__)

SECRET = "SECRETNAME"


def write_images(folder) -> None:
    """NIfTI, NRRD and DICOM whose files, folders and headers have the word."""
    folder.mkdir(parents=True)
    image = nibabel.Nifti1Image(heart(1).T, np.diag([1.5, 1.5, 8, 1]))
    image.header["descrip"] = SECRET
    nibabel.save(image, folder / f"{SECRET}_1.nii.gz")
    write_nrrd(folder / f"{SECRET}_2.nrrd", heart(2))
    voxels = np.stack([heart(3, 2, 32)])
    write_series(folder / SECRET, voxels)
    from pydicom import dcmread

    for path in (folder / SECRET).iterdir():
        data = dcmread(path)
        data.PatientName, data.PatientID = f"{SECRET}^Jane", f"{SECRET}-7"
        data.SeriesDescription = data.StudyDescription = SECRET
        data.save_as(path)


@pytest.fixture
def study(tmp_path):
    write_images(tmp_path / SECRET)
    study = Study.create(tmp_path / "study", order="listed")
    assert all(added.problem is None for added in CaseList(study).add(listed(tmp_path / SECRET)))
    return study


def strangers(folder) -> dict[str, object]:
    """Files of all kinds that name images which are no cases, or name them wrongly."""
    tables = {
        "unknown": f"image,score\n{SECRET}_9,3\n",
        "off": f"image,score\n{SECRET}_1,{SECRET}\n",
        "twice": f"image,score\n{SECRET}_1,3\n{SECRET}_1,4\n",
        "grades": f"volume,frame,slice,p1,p2,p3,p4,p5\n{SECRET}_1,0,0,0,0,0,0,1\n",
    }
    for name, text in tables.items():
        (folder / f"{SECRET}_{name}.csv").write_text(text)
    write_json([assessment([(1, 1, 1)], name=f"{SECRET}_42")], folder / f"{SECRET}.json")
    return {path.name: path for path in folder.iterdir() if path.suffix in (".csv", ".json")}


def test_no_door_shows_it(host, page, study, tmp_path):
    seen = []

    def look():
        host.process_events()
        shown = "\n".join((everything_shown(), *host.dialogs.texts()))
        seen.append(SECRET in shown)
        assert SECRET not in shown, [line for line in shown.splitlines() if SECRET in line]

    page.open(study, "ben")
    for score in ("1", "5", "3"):
        page.press(score, "Space")
    page.panel.close_study()

    # Anna meets everything that can go wrong on the way.
    page.open(study, "anna")
    page.press("5")
    look()
    (tmp_path / SECRET / f"{SECRET}_torn.nrrd").write_text("NRRD, but torn")
    page.add_images(tmp_path / SECRET)
    assert "Problems with images: 1." in page.message
    look()
    files, panel = strangers(tmp_path / SECRET), page.panel
    doors = (panel.files.view.add_list, panel.files.view.import_labels, panel.files.view.network)
    for path in files.values():
        for door in doors:
            door.emit(path)
            host.wait_until(lambda: not panel.importing)
            look()
    for name in ("exportLongButton", "exportLabelsButton", "exportGradesButton"):
        host.files.answers.append(str(tmp_path / f"{name}.csv"))
        page.button(name).click()
        assert "not scored all cases yet" in page.files_said
        assert not (tmp_path / f"{name}.csv").exists()
        look()

    # An image is edited under her hands, another vanishes.
    write_nrrd(tmp_path / SECRET / f"{SECRET}_2.nrrd", heart(7))
    (tmp_path / SECRET / f"{SECRET}_1.nii.gz").unlink()
    page.panel.close_study()
    page.open(study, "anna")
    for _case in page.scoring.readings:
        page.press("2", "Space")
        look()
    page.add_images(tmp_path / SECRET)
    look()
    for _case in page.scoring.readings:
        page.press("2", "Space")
    look()

    # She has finished, as far as it goes, and sees what came of it.
    assert page.scoring.session.may_see_others, page.scoring.session.unreadable
    page.agreement.button.click()
    assert page.agreement.table.rowCount and page.agreement.far_apart.rowCount
    look()
    host.files.answers.append(str(tmp_path / "report"))
    page.agreement.export.click()
    report = (tmp_path / "report.html").read_text("utf-8")
    assert "Case " in report and SECRET not in report
    page.adjudication.start_button.click()
    assert page.adjudication.table.rowCount
    look()
    page.press("4")
    look()
    page.adjudication.start_button.click()
    assert len(seen) > 15 and not any(seen)


def test_the_word_is_seen_where_the_study_is_open(host, page, tmp_path):
    """So the look above can find it."""
    write_images(tmp_path / SECRET)
    study = Study.create(tmp_path / "study", order="listed", blinded=False)
    list(CaseList(study).add(listed(tmp_path / SECRET)))
    page.open(study, "anna")
    assert SECRET in everything_shown()
    host.files.answers.append(str(tmp_path / "own.csv"))
    page.press("4")
    page.button("exportLabelsButton").click()
    with (tmp_path / "own.csv").open() as file:
        assert [row["score"] for row in csv.DictReader(file)] == ["4"]


def test_who_takes_a_score_back_sees_the_others_no_more(host, page, study):
    for reader in ("ben", "anna"):
        page.open(study, reader)
        for score in ("1", "5", "3"):
            page.press(score, "Space")
    page.agreement.button.click()
    assert page.agreement.table.rowCount == 1 and page.agreement.export.enabled
    page.press("Z", control=True)
    assert page.agreement.table.rowCount == 0 and not page.agreement.export.enabled
    page.button("exportLongButton")
    host.files.answers.append(str(study.folder / "o.csv"))
    page.button("exportLongButton").click()
    assert "not scored all cases yet" in page.files_said
    assert not (study.folder / "o.csv").exists()

"""*Export*, *DICOM report*: each slice's grade refers to the images that show that slice."""

from __future__ import annotations

import numpy as np
import pytest

import cine_objects
from host import pythonqt
from processes import SOON

from . import graded

pythonqt(__name__)

SLICES, PHASES = 4, 3


@pytest.fixture
def series():
    return cine_objects.series(SLICES, PHASES, size=64)


@pytest.fixture
def database(host, tmp_path, series):
    """A DICOM database with the series, and another one."""
    import slicer

    database = slicer.dicomDatabase
    database.openDatabase(str(tmp_path / "database" / "ctkDICOM.sql"))
    others = cine_objects.series(1, 2, seed=4, series_number=8)
    for path in cine_objects.save([*series, *others], tmp_path / "sent"):
        database.insert(str(path), True)
    yield database
    database.closeDatabase()


@pytest.fixture
def view(host):
    from MotionQAWidgets.results_view import ResultsView
    from MotionQAWidgets.scene_results import SceneResults

    results = SceneResults()
    view = ResultsView(results)
    view.results = results
    yield view
    view.close()
    results.close()
    view.widget.deleteLater()


@pytest.fixture
def opened(host, view, database, series):
    """The series in the scene, with made-up grades."""
    from MotionQAWidgets.volume_opening import VolumeOpening

    uid = str(series[0].SeriesInstanceUID)
    rng = np.random.default_rng(2)
    scores = rng.integers(1, 6, (PHASES, SLICES))
    assessment = graded.assessment(scores, identity=f"dicom:{uid}")
    opening, nodes = VolumeOpening(view.results), []
    opening.opened.connect(nodes.append)
    files = database.filesForSeries(uid)
    opening.open(files[0], assessment, files=files)
    host.wait_until(lambda: nodes, seconds=SOON)
    opening.close()
    view.set_volume(nodes[0])
    return nodes[0]


def report_action(view):
    """*DICOM report* in the menu, as it is once the menu was opened."""
    menu = view.export.button.menu()
    menu.aboutToShow.emit()
    (action,) = [action for action in menu.actions() if "DICOM" in action.text]
    return action


def export(host, view, path):
    host.files.answers.append(str(path))
    report_action(view).trigger()
    host.wait_until(lambda: not view.export.report.busy, seconds=SOON)
    return view.message.text


def slices_of(path) -> dict[str, set[str]]:
    """The images that the report's group of each slice refers to."""
    from pydicom import dcmread

    found: dict[str, set[str]] = {}

    def walk(item, uids, names):
        for child in item.get("ContentSequence", []):
            code = (
                child.ConceptNameCodeSequence[0].CodeValue
                if child.get("ConceptNameCodeSequence")
                else ""
            )
            if code == "112039":  # tracking identifier
                names.append(child.TextValue)
            for reference in child.get("ReferencedSOPSequence", []):
                uids.add(str(reference.ReferencedSOPInstanceUID))
            if code == "125007":  # measurement group
                own_uids, own_names = set(), []
                walk(child, own_uids, own_names)
                found[own_names[0]] = own_uids
            else:
                walk(child, uids, names)

    walk(dcmread(path), set(), [])
    return found


def expected(series) -> list[set[str]]:
    """The images of each slice."""
    uids: dict[float, set[str]] = {}
    for image in series:
        along = round(float(np.dot(image.ImagePositionPatient, cine_objects.NORMAL)), 2)
        uids.setdefault(along, set()).add(str(image.SOPInstanceUID))
    return [uids[along] for along in sorted(uids)]


def test_a_report_refers_to_each_slices_images_and_joins_the_database(
    host, view, opened, database, series, tmp_path
):
    said = export(host, view, tmp_path / "report")
    path = tmp_path / "report.dcm"
    assert str(path) in said and "DICOM browser" in said
    found = slices_of(path)
    assert [found[f"slice {index}"] for index in range(SLICES)] == expected(series)
    assert len(found) == SLICES + 1
    study = database.studyForSeries(str(series[0].SeriesInstanceUID))
    kinds = [database.fileValue(database.filesForSeries(uid, 1)[0], "0008,0060")
             for uid in database.seriesForStudy(study)]  # fmt: skip
    assert sorted(kinds) == ["MR", "SR"]


def test_slices_that_count_the_other_way_are_told_apart(host, view, opened, series, tmp_path):
    """As where Slicer's own DICOM reader turned the stack."""
    import slicer
    import vtk

    matrix = vtk.vtkMatrix4x4()
    opened.GetIJKToRASMatrix(matrix)
    to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    to_ras[:, 3] += (SLICES - 1) * to_ras[:, 2]
    to_ras[:, 2] *= -1
    opened.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(to_ras))
    export(host, view, tmp_path / "report.dcm")
    found = slices_of(tmp_path / "report.dcm")
    assert [found[f"slice {index}"] for index in range(SLICES)] == expected(series)[::-1]
    to_ras[:3, 3] += 5 * to_ras[:3, 2] / np.linalg.norm(to_ras[:3, 2])
    opened.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(to_ras))
    said = export(host, view, tmp_path / "moved.dcm")
    assert "do not lie where" in said and not (tmp_path / "moved.dcm").exists()


def test_what_is_no_series_has_no_report(host, view, opened, tmp_path):
    import slicer

    slicer.dicomDatabase.closeDatabase()
    assert report_action(view).enabled  # its files are where they were opened from
    opened.RemoveAttribute("MotionQA.File")
    action = report_action(view)
    assert not action.enabled and "not in the DICOM database" in action.toolTip
    node = graded.volume()
    view.results.store(node, graded.assessment())
    view.set_volume(node)
    action = report_action(view)
    assert not action.enabled and "Only a DICOM series" in action.toolTip


def test_highdicom_is_asked_for_at_first_use(host, view, opened, tmp_path):
    host.pip.missing = {"highdicom"}
    host.dialogs.answers = [False]
    said = export(host, view, tmp_path / "report.dcm")
    assert "highdicom" in said and not (tmp_path / "report.dcm").exists()
    assert "highdicom" in said + "".join(str(shown) for shown in host.dialogs.shown)

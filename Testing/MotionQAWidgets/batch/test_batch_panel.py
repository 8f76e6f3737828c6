"""The tab Batch as a researcher meets it: a folder in, results worst first out, and on again."""

from __future__ import annotations

import os
import signal

import numpy as np

import cine_objects
from host import pythonqt
from processes import LATE, SOON, children

pythonqt(__name__)


def start(module, study, checkpoint_file):
    import slicer

    settings = module.logic.getParameterNode()
    settings.checkpoint = str(checkpoint_file)
    batch = module.batch
    batch.set_settings(settings)
    batch.source.path = study
    batch.start_button.click()
    assert slicer.app is not None and batch.run is not None, batch.message_label.text
    return batch


def finish(host, batch):
    host.wait_until(lambda: not batch.run.running, seconds=LATE)
    host.process_events(0.4)


def rows(batch) -> list[str]:
    table = batch.table.widget
    items = [table.item(row, 1) for row in range(table.rowCount)]
    return [None if item is None else item.text() for item in items]


def test_a_study_is_graded_and_listed_worst_first(host, module, study, checkpoint_file):
    import slicer

    batch = module.batch
    assert not batch.start_button.enabled and "Choose" in batch.start_button.toolTip
    start(module, study, checkpoint_file)
    assert batch.output.path == study.with_name("study motion")
    assert batch.start_button.text == "Stop" and not batch.source.enabled
    finish(host, batch)
    assert batch.run.sentence == "" and batch.run.done == batch.run.total == 4
    assert rows(batch) == [result.name for result in batch.run.graded]
    expected = [result.expected for result in batch.run.graded]
    assert expected == sorted(expected) and len(expected) == 3
    assert not batch.table.widget.item(0, 0).icon().isNull()
    assert "4 of 4 volumes" in batch.progress_label.text
    assert "1 could not be graded" in batch.failures_button.text
    batch.failures_button.click()
    assert "broken.nii.gz" in batch.failures_list.plainText
    assert batch.start_button.text == "Go on"

    for result in batch.run.graded:  # a click opens it, with its grades and the overlay
        row = [r.name for r in batch.run.graded].index(result.name)
        module.tabs.show(batch)
        batch.table.widget.cellClicked.emit(row, 1)
        host.wait_until(lambda: not batch.opening.busy, seconds=SOON)
        host.process_events(0.2)
        assert batch.message_label.text == "" and module.tabs.widget.currentIndex == 0
        node = module.ui.volumeSelector.currentNode()
        found = module.logic.result(node)
        assert (found.n_frames, found.n_slices) == (result.frames, result.slices)
        assert module.ui.resultLabel.text.startswith(f"Volume: {result.score}")
        if result.name == "series":
            lies_where_the_patient_lay(module, node)
    volumes = slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")
    module.tabs.show(batch)
    batch.table.widget.cellClicked.emit(0, 1)  # it is open already
    assert len(slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode")) == len(volumes)


def lies_where_the_patient_lay(module, node):
    import slicer
    import vtk

    from MotionQAWidgets.volume_input import VolumeInput

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    to_lps = to_ras * np.array([[-1], [-1], [1], [1]])
    np.testing.assert_allclose(to_lps[:3, 0], 2.5 * np.array(cine_objects.ROW), atol=1e-3)
    np.testing.assert_allclose(to_lps[:3, 2], 10 * cine_objects.NORMAL, atol=0.02)
    np.testing.assert_allclose(to_lps[:3, 3], 0, atol=1e-3)
    assert VolumeInput.of_node(node).identity == module.logic.result(node).identity


def test_what_is_killed_goes_on_and_a_second_one_is_refused(host, module, study, checkpoint_file):
    from MotionQAWidgets.batch.batch_run import BatchRun

    batch = start(module, study, checkpoint_file)
    host.wait_until(lambda: batch.run.graded, seconds=LATE)
    (pid,) = children("batch_process")
    other = BatchRun([study], batch.output.path, str(checkpoint_file))
    host.wait_until(lambda: not other.running, seconds=LATE)
    assert "another session" in other.sentence
    os.kill(pid, signal.SIGKILL)  # as when memory is short
    host.wait_until(lambda: not batch.run.running, seconds=SOON)
    graded = len(batch.run.graded)
    if batch.run.left:
        host.wait_until(lambda: "unexpectedly" in batch.message_label.text, seconds=SOON)
    batch.start_button.click()
    finish(host, batch)
    assert len(batch.run.graded) == 3
    assert sum(result.known for result in batch.run.graded) >= graded > 0


def test_stop_keeps_what_is_graded(host, module, study, checkpoint_file):
    batch = start(module, study, checkpoint_file)
    host.wait_until(lambda: batch.run.total, seconds=LATE)
    batch.start_button.click()
    assert not batch.start_button.enabled
    finish(host, batch)
    assert batch.run.left > 0 and "Go on grades them" in batch.progress_label.text
    assert batch.start_button.enabled and batch.start_button.text == "Go on"


def test_results_among_the_volumes_are_refused(host, module, study):
    batch = module.batch
    batch.source.path = batch.output.path = study
    batch.start_button.click()
    assert batch.run is None and "among the volumes" in batch.message_label.text


def test_thousands_of_results_are_shown_in_no_time(host, module, tmp_path):
    import time

    from MotionQALib.batch_runs.batch_messages import VolumeGraded
    from MotionQAWidgets.batch.batch_run import worst_first

    table = module.batch.table
    results = [
        VolumeGraded(
            path=f"/{n}",
            name=f"volume {n}",
            score=1 + n % 5,
            expected=1 + n % 5 + n / 1e6,
            uncertain=False,
            severe=[1, 2],
            moderate=[],
            frames=1,
            slices=9,
            line=0,
            picture="",
            known=False,
        )
        for n in range(5000)
    ]
    results.sort(key=worst_first)
    start = time.process_time()
    table.show(results)
    host.wait_until(lambda: rows(module.batch)[:1] == ["volume 0"], seconds=SOON)
    assert time.process_time() - start < 1.0
    assert table.widget.rowCount == 5000 and rows(module.batch)[:2] == ["volume 0", "volume 5"]
    table.widget.scrollToBottom()
    host.process_events(0.2)
    assert rows(module.batch)[-1] == "volume 4999" and None in rows(module.batch)
    heard = []
    table.chosen.connect(heard.append)
    table.widget.cellClicked.emit(4999, 1)
    table.chosen.disconnect(heard.append)
    assert heard == [results[-1]]

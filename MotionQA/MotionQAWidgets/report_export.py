"""A result as a DICOM Structured Report, which belongs beside its series."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import slicer
from slicer.i18n import tr as _

from MotionQALib import protocol
from MotionQALib.signals import Signal
from MotionQALib.structured_report.report_messages import ReportWritten, WriteReport
from MotionQALib.volumes import VolumeError

from . import dependencies
from .message_process import MessageProcess
from .scene_results import SceneResult
from .volume_input import VolumeInput
from .volume_opening import FILE

REQUIREMENTS = dependencies.REQUIREMENTS.with_name("MotionQA-report-requirements.txt")
MODULE = "MotionQALib.structured_report.report_process"


class ReportExport:
    """Writes reports, by a process of its own; ``said`` tells in a sentence what came of it."""

    def __init__(self) -> None:
        self.said = Signal()  # (sentence)
        self._process: MessageProcess | None = None

    @property
    def busy(self) -> bool:
        return self._process is not None

    @staticmethod
    def why_not(result: SceneResult | None) -> str | None:
        """Why there can be no report of a result, in a sentence; None if there can."""
        if result is None:
            return _("Grade the volume first.")
        if not series_of(result):
            return _("Only a DICOM series can have a DICOM report.")
        if not files_of(result):
            return _("The series' files are not in the DICOM database that is open.")
        return None

    def write(self, result: SceneResult, path: str | Path) -> None:
        """Write the report, and put it beside the series in the DICOM database."""
        problem = self.why_not(result)
        if problem is None and dependencies.missing(REQUIREMENTS):
            problem = dependencies.ensure(REQUIREMENTS)
        if problem is None:
            try:
                places = places_of(result)
            except VolumeError as error:
                problem = str(error)
        if problem is not None:
            self.said.emit(problem)
            return
        self.close()
        process = self._process = MessageProcess(MODULE)
        process.received.connect(self._on_message)
        process.ended.connect(self._on_end)
        process.send(
            WriteReport(
                files=files_of(result),
                series_uid=series_of(result),
                assessment=result.assessment.to_dict(),
                places=places,
                output=str(path),
            )
        )
        self.said.emit(_("Writing the report …"))

    def close(self) -> None:
        """Nothing is written any more."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()

    def _on_message(self, message: protocol.Message) -> None:
        self.close()
        if not isinstance(message, ReportWritten):
            self.said.emit(getattr(message, "sentence", ""))
            return
        text = _("Written: {path}").format(path=message.output)
        database = _database()
        if database is not None:
            database.insert(message.output, True)
            text = _("{text}. It stands beside its series in the DICOM browser, too.").format(
                text=text
            )
        self.said.emit(text)

    def _on_end(self, log: list[str]) -> None:
        """It ended without an answer."""
        if self._process is not None:
            self.close()
            text = _("The report could not be written ({reason}).")
            self.said.emit(text.format(reason=log[-1] if log else _("no reason given")))


def series_of(result: SceneResult) -> str:
    """UID of the DICOM series; empty where it is none."""
    identity = result.assessment.identity or ""
    if not identity.startswith("dicom:"):
        try:
            identity = VolumeInput.of_node(result.volume_node).identity or ""
        except VolumeError:
            return ""
    return identity.removeprefix("dicom:") if identity.startswith("dicom:") else ""


def files_of(result: SceneResult) -> list[str]:
    """Where the series' images are: in the DICOM database, else where they were opened from."""
    database, uid = _database(), series_of(result)
    found = [] if database is None else [str(file) for file in database.filesForSeries(uid)]
    if found:
        return found
    opened = Path(result.volume_node.GetAttribute(FILE) or "")
    folder = opened if opened.is_dir() else opened.parent
    if not opened.name or not folder.is_dir():
        return []
    return [str(path) for path in sorted(folder.iterdir()) if path.is_file()]


def places_of(result: SceneResult) -> list[list[float]]:
    """A point of each slice, the middle, in mm to the left, back and up."""
    import vtk

    node, axis = result.volume_node, result.slice_axis
    size = VolumeInput.of_node(node).frames[0].shape  # slices, rows, columns
    lengths = list(node.GetImageData().GetDimensions())
    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    to_ras = slicer.util.arrayFromVTKMatrix(matrix)
    places = []
    for index in range(size[0]):
        point = [(length - 1) / 2 for length in lengths]
        point[axis] = index
        ras = to_ras @ np.array([*point, 1.0])
        places.append([-float(ras[0]), -float(ras[1]), float(ras[2])])
    return places


def _database():
    database = getattr(slicer, "dicomDatabase", None)
    return database if database is not None and database.isOpen else None

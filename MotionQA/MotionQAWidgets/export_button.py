"""The button that writes a result to a file."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.signals import Signal

from . import result_files
from .report_export import ReportExport
from .scene_results import SceneResult

FOLDER_KEY = "MotionQA/ExportFolder"


class ExportButton:
    """*Export* with a menu of formats; ``said`` tells in a sentence what came of it."""

    def __init__(self, parent) -> None:
        self.said = Signal()  # (sentence)
        self._parent = parent
        self._result: SceneResult | None = None
        self.button = qt.QPushButton(_("Export"))
        self.button.toolTip = _("Write all grades to a file, yours beside the network's.")
        menu = qt.QMenu(self.button)
        for kind in result_files.KINDS:
            action = menu.addAction(_("{format} …").format(format=kind.upper()))
            action.triggered.connect(lambda *_args, kind=kind: self._export(kind))
        self.report = ReportExport()
        self.report.said.connect(self.said.emit)
        self._report_action = menu.addAction(_("DICOM report …"))
        self._report_action.triggered.connect(self._export_report)
        menu.aboutToShow.connect(self._on_menu)
        menu.toolTipsVisible = True
        self.button.setMenu(menu)

    def show(self, result: SceneResult | None) -> None:
        self._result = result
        self.button.enabled = result is not None

    def close(self) -> None:
        """Nothing is written any more."""
        self.report.close()

    def _on_menu(self, *_args) -> None:
        why_not = self.report.why_not(self._result)
        self._report_action.enabled = why_not is None
        self._report_action.toolTip = why_not or _("A Structured Report, beside the series.")

    def _export_report(self, *_args) -> None:
        result = self._result
        path = self._ask(result, "dcm", _("DICOM (*.dcm)"))
        if path is not None:
            self.report.write(result, path)

    def _export(self, kind: str) -> None:
        result = self._result
        path = self._ask(result, kind, result_files.kind_name(kind))
        if path is None:
            return
        try:
            result_files.write(result, path, kind)
        except OSError as error:
            text = _("{path} could not be written: {reason}.")
            self.said.emit(text.format(path=path, reason=error.strerror or error))
            return
        self.said.emit(_("Written: {path}").format(path=path))

    def _ask(self, result: SceneResult, kind: str, filter_: str) -> Path | None:
        """The file to write; None where the user would rather not."""
        settings = slicer.app.userSettings()
        folder = Path(str(settings.value(FOLDER_KEY) or Path.home()))
        suggested = str(folder / result_files.file_name(result, kind))
        path = qt.QFileDialog.getSaveFileName(self._parent, _("Export grades"), suggested, filter_)
        if not path:
            return None
        path = Path(path)
        if path.suffix.lower() != f".{kind}":
            path = path.with_name(f"{path.name}.{kind}")
            text = _("{path} exists already. Replace it?").format(path=path)
            # The file dialog asked about the name without its suffix.
            if path.exists() and not slicer.util.confirmOkCancelDisplay(
                text, _("MotionQA"), parent=self._parent
            ):
                return None
        settings.setValue(FOLDER_KEY, str(path.parent))
        return path

"""The button that writes a result to a file."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.signals import Signal

from . import result_files
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
        self.button.setMenu(menu)

    def show(self, result: SceneResult | None) -> None:
        self._result = result
        self.button.enabled = result is not None

    def _export(self, kind: str) -> None:
        result = self._result
        settings = slicer.app.userSettings()
        folder = Path(str(settings.value(FOLDER_KEY) or Path.home()))
        suggested = str(folder / result_files.file_name(result, kind))
        path = qt.QFileDialog.getSaveFileName(
            self._parent, _("Export grades"), suggested, result_files.kind_name(kind)
        )
        if not path:
            return
        path = Path(path)
        if path.suffix.lower() != f".{kind}":
            path = path.with_name(f"{path.name}.{kind}")
            text = _("{path} exists already. Replace it?").format(path=path)
            # The file dialog asked about the name without its suffix.
            if path.exists() and not slicer.util.confirmOkCancelDisplay(
                text, _("MotionQA"), parent=self._parent
            ):
                return
        try:
            result_files.write(result, path, kind)
        except OSError as error:
            text = _("{path} could not be written: {reason}.")
            self.said.emit(text.format(path=path, reason=error.strerror or error))
            return
        settings.setValue(FOLDER_KEY, str(path.parent))
        self.said.emit(_("Written: {path}").format(path=path))

"""`import ctk`: the ctk widgets that a grading panel needs, each as a small Qt widget."""

from __future__ import annotations

import types

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal

from .dicom_database import ctkDICOMDatabase, ctkDICOMIndexer
from .ui_loader import CUSTOM, custom


@custom
class ctkCollapsibleButton(QtWidgets.QWidget):
    """A headline that folds what lies below it. Its children go into its own layout, as in ctk."""

    contentsCollapsed = Signal(bool)
    clicked = Signal(bool)
    toggled = Signal(bool)

    def __init__(self, *args):
        text = args[0] if args and isinstance(args[0], str) else ""
        parent = args[-1] if args and not isinstance(args[-1], str) else None
        super().__init__(parent)
        self._collapsed = False
        self._header = QtWidgets.QToolButton(self, text=text, autoRaise=True)
        self._header.setObjectName("")
        self._header.setToolButtonStyle(QtCore.Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self._header.setArrowType(QtCore.Qt.ArrowType.DownArrow)
        self._header.setSizePolicy(
            QtWidgets.QSizePolicy.Policy.Expanding, QtWidgets.QSizePolicy.Policy.Fixed
        )
        self._header.clicked.connect(self.click)
        self.setContentsMargins(0, self._header.sizeHint().height(), 0, 0)

    def resizeEvent(self, event):
        self._header.resize(self.width(), self._header.sizeHint().height())
        super().resizeEvent(event)

    def childEvent(self, event):
        child = event.child()
        if event.added() and self._collapsed and child.isWidgetType() and child != self._header:
            child.hide()
        super().childEvent(event)

    def click(self, *_):
        self._set_collapsed(not self._collapsed)
        self.clicked.emit(not self._collapsed)

    def _set_collapsed(self, collapsed: bool):
        if collapsed == self._collapsed:
            return
        self._collapsed = collapsed
        arrow = QtCore.Qt.ArrowType
        self._header.setArrowType(arrow.RightArrow if collapsed else arrow.DownArrow)
        for child in self.children():
            if child.isWidgetType() and child is not self._header:
                child.setVisible(not collapsed)
        self.setMaximumHeight(self._header.sizeHint().height() if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)
        self.toggled.emit(not collapsed)

    def _get_text(self) -> str:
        return self._header.text()

    def _set_text(self, text: str):
        self._header.setText(text)

    text = Property(str, _get_text, _set_text)
    collapsed = Property(bool, lambda self: self._collapsed, _set_collapsed)
    checked = Property(
        bool, lambda self: not self._collapsed, lambda self, on: self._set_collapsed(not on)
    )


@custom
class ctkSliderWidget(QtWidgets.QWidget):
    """A slider and a spin box that hold one float."""

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    STEPS = 10000

    def __init__(self, parent=None):
        super().__init__(parent)
        self._slider = QtWidgets.QSlider(QtCore.Qt.Orientation.Horizontal, self)
        self._slider.setMaximum(self.STEPS)
        self._box = QtWidgets.QDoubleSpinBox(self)
        self._box.setRange(0, 99)
        for part in (self._slider, self._box):
            part.setObjectName("")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._slider, 1)
        row.addWidget(self._box)
        self._slider.valueChanged.connect(self._slid)
        self._box.valueChanged.connect(self._typed)

    def _slid(self, step: int):
        low, high = self._box.minimum(), self._box.maximum()
        self._box.setValue(low + (high - low) * step / self.STEPS)

    def _typed(self, value: float):
        low, high = self._box.minimum(), self._box.maximum()
        self._slider.blockSignals(True)
        self._slider.setValue(round((value - low) / ((high - low) or 1) * self.STEPS))
        self._slider.blockSignals(False)
        self.valueChanged.emit(value)

    def setRange(self, low, high):
        self._box.setRange(low, high)
        self._typed_quietly()

    def _typed_quietly(self):
        self.blockSignals(True)
        self._typed(self._box.value())
        self.blockSignals(False)

    value = Property(float, lambda s: s._box.value(), lambda s, v: s._box.setValue(v))
    minimum = Property(
        float, lambda s: s._box.minimum(), lambda s, v: s.setRange(v, s._box.maximum())
    )
    maximum = Property(
        float, lambda s: s._box.maximum(), lambda s, v: s.setRange(s._box.minimum(), v)
    )
    singleStep = Property(
        float, lambda s: s._box.singleStep(), lambda s, v: s._box.setSingleStep(v)
    )
    pageStep = Property(float, lambda s: 1.0, lambda s, v: None)
    decimals = Property(int, lambda s: s._box.decimals(), lambda s, v: s._box.setDecimals(v))
    suffix = Property(str, lambda s: s._box.suffix(), lambda s, v: s._box.setSuffix(v))
    prefix = Property(str, lambda s: s._box.prefix(), lambda s, v: s._box.setPrefix(v))
    tracking = Property(
        bool, lambda s: s._slider.hasTracking(), lambda s, v: s._slider.setTracking(v)
    )


@custom
class ctkPathLineEdit(QtWidgets.QWidget):
    """A path, typed or browsed for."""

    currentPathChanged = Signal(str)
    Dirs, Files = 1, 2  # of filters

    def __init__(self, parent=None):
        super().__init__(parent)
        self._edit = QtWidgets.QLineEdit(self)
        self._edit.setObjectName("")
        row = QtWidgets.QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self._edit)
        self._edit.textChanged.connect(self.currentPathChanged)
        self._filters, self._setting, self._names = 0, "", []

    def addCurrentPathToHistory(self):
        """ctk remembers the path in its settings; here there is nothing to remember for."""

    currentPath = Property(str, lambda s: s._edit.text(), lambda s, v: s._edit.setText(v))
    filters = Property(int, lambda s: s._filters, lambda s, v: setattr(s, "_filters", v))
    settingKey = Property(str, lambda s: s._setting, lambda s, v: setattr(s, "_setting", v))
    nameFilters = Property(
        "QStringList", lambda s: s._names, lambda s, v: setattr(s, "_names", list(v))
    )
    showHistoryButton = Property(bool, lambda s: False, lambda s, v: None)


@custom
class ctkDirectoryButton(QtWidgets.QPushButton):
    """A button that shows and changes a folder."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)

    def _set_directory(self, path: str):
        if path != self.text():
            self.setText(path)
            self.directoryChanged.emit(path)

    directory = Property(str, lambda s: s.text(), _set_directory)


@custom
class ctkComboBox(QtWidgets.QComboBox):
    pass


@custom
class ctkCheckBox(QtWidgets.QCheckBox):
    pass


@custom
class ctkSearchBox(QtWidgets.QLineEdit):
    pass


class ctkMessageBox(QtWidgets.QMessageBox):
    dontShowAgainSettingsKey = ""


class ctkWidgetsUtils:
    @staticmethod
    def grabWidget(widget) -> QtGui.QImage:
        return widget.grab().toImage()


def make_ctk() -> types.ModuleType:
    ctk = types.ModuleType("ctk", __doc__)
    vars(ctk).update({n: c for n, c in CUSTOM.items() if n.startswith("ctk")})
    ctk.ctkMessageBox = ctkMessageBox
    ctk.ctkDICOMDatabase, ctk.ctkDICOMIndexer = ctkDICOMDatabase, ctkDICOMIndexer
    ctk.ctkWidgetsUtils = ctkWidgetsUtils
    return ctk

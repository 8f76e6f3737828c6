"""`slicer.parameterNodeWrapper`: typed settings kept in a MRML node, joined to widgets.

Writes what Slicer's own writes, for the types a grading panel has: int, float, str, bool, Path,
Enum and nodes.
"""

from __future__ import annotations

import contextlib
import enum
import pathlib
import types
import typing
from dataclasses import dataclass

import ctk
import qt
import slicer

__all__ = [
    "Choice",
    "Default",
    "Maximum",
    "Minimum",
    "WithinRange",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

PROPERTY = "SlicerParameterName"


# Annotations


@dataclass
class Default:
    value: object = None


@dataclass
class WithinRange:
    minimum: float
    maximum: float

    def validate(self, value):
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"{value} is not within [{self.minimum}, {self.maximum}]")


@dataclass
class Minimum:
    minimum: float

    def validate(self, value):
        if value < self.minimum:
            raise ValueError(f"{value} is below {self.minimum}")


@dataclass
class Maximum:
    maximum: float

    def validate(self, value):
        if value > self.maximum:
            raise ValueError(f"{value} is above {self.maximum}")


@dataclass
class Choice:
    choices: list

    def validate(self, value):
        if value not in self.choices:
            raise ValueError(f"{value} is none of {self.choices}")


# One parameter


def _is_node(kind) -> bool:
    return isinstance(kind, type) and issubclass(kind, slicer.vtkMRMLNode)


class Parameter:
    """A named value of a type, in a parameter node's text."""

    def __init__(self, name: str, annotated, default):
        self.name = name
        kind, self.annotations = annotated, []
        if typing.get_origin(annotated) is typing.Annotated:
            kind, *self.annotations = typing.get_args(annotated)
        self.kinds = (kind,)
        if typing.get_origin(kind) in (typing.Union, types.UnionType):
            self.kinds = tuple(k for k in typing.get_args(kind) if k is not type(None))
        self.kind = self.kinds[0]
        self.is_node = all(map(_is_node, self.kinds))
        simple = self.kind in (int, float, str, bool) or issubclass(self.kind, pathlib.PurePath)
        if not (self.is_node or simple or issubclass(self.kind, enum.Enum)):
            raise TypeError(f"The host's parameterNodeWrapper has no {annotated} ({name})")
        self.default = default if default is not ... else self._default()

    def _default(self):
        given = [a.value for a in self.annotations if isinstance(a, Default)]
        if given:
            return given[0]
        if self.is_node:
            return None
        return next(iter(self.kind)) if issubclass(self.kind, enum.Enum) else self.kind()

    def annotation(self, kind: type):
        return next((a for a in self.annotations if isinstance(a, kind)), None)

    def write(self, node, value):
        if self.is_node:
            if value is not None and not isinstance(value, self.kinds):
                raise TypeError(f"{self.name} must be a node of {self.kinds}, not {value!r}")
            node.SetParameter(self.name, "")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
            return
        accepted = (int, float) if self.kind is float else self.kind
        if value is None or not isinstance(value, accepted):
            raise TypeError(f"{self.name} must be {self.kind.__name__}, not {value!r}")
        for annotation in self.annotations:
            if hasattr(annotation, "validate"):
                annotation.validate(value)
        node.SetParameter(self.name, value.name if isinstance(value, enum.Enum) else str(value))

    def read(self, node):
        if not node.HasParameter(self.name):
            self.write(node, self.default)
        if self.is_node:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.kind is bool:
            return text == "True"
        return self.kind[text] if issubclass(self.kind, enum.Enum) else self.kind(text)


# One parameter and its widget: (signal, read, write)


def _bounds(parameter: Parameter, widget, low, high):
    within = parameter.annotation(WithinRange)
    least, most = parameter.annotation(Minimum), parameter.annotation(Maximum)
    low = within.minimum if within else least.minimum if least else low
    high = within.maximum if within else most.maximum if most else high
    if type(widget) in (qt.QSlider, ctk.ctkSliderWidget) and not (within or (least and most)):
        raise RuntimeError(f"{parameter.name} needs WithinRange to be joined to a slider")
    return low, high


def _fill(widget, labels):
    widget.blockSignals(True)
    widget.clear()
    widget.addItems(labels)
    widget.blockSignals(False)


def _combo(widget, values):
    return (
        widget.currentIndexChanged,
        lambda: values[widget.currentIndex()],
        lambda value: widget.setCurrentIndex(values.index(value)),
    )


def connector(parameter: Parameter, widget):  # noqa: C901
    """How the widget holds the parameter. Exact widget types only, as in Slicer."""
    kind, look = type(widget), parameter.kind
    if kind is slicer.qMRMLNodeComboBox and parameter.is_node:
        widget.nodeTypes = [k.__name__ for k in parameter.kinds]
        return widget.currentNodeChanged, widget.currentNode, widget.setCurrentNode
    if kind in (qt.QCheckBox, ctk.ctkCheckBox) and look is bool:
        return widget.toggled, widget.isChecked, widget.setChecked
    if kind is qt.QPushButton and look is bool:
        widget.setCheckable(True)
        return widget.toggled, widget.isChecked, widget.setChecked
    if kind in (qt.QSlider, qt.QSpinBox) and look is int:
        widget.setRange(*_bounds(parameter, widget, -(2**31), 2**31 - 1))
        return widget.valueChanged, widget.value, widget.setValue
    if kind is qt.QDoubleSpinBox and look in (int, float):
        widget.setRange(*_bounds(parameter, widget, float("-inf"), float("inf")))
        return widget.valueChanged, lambda: look(widget.value()), widget.setValue
    if kind is ctk.ctkSliderWidget and look in (int, float):
        widget.setRange(*_bounds(parameter, widget, 0, 0))
        return (
            widget.valueChanged,
            lambda: look(widget.value),
            lambda value: setattr(widget, "value", value),
        )
    if kind in (qt.QComboBox, ctk.ctkComboBox) and issubclass(look, enum.Enum):
        label = getattr(look, "label", lambda e: e.name)
        _fill(widget, [label(e) for e in look])
        return _combo(widget, list(look))
    if kind in (qt.QComboBox, ctk.ctkComboBox) and parameter.annotation(Choice):
        choices = parameter.annotation(Choice).choices
        _fill(widget, [str(c) for c in choices])
        return _combo(widget, choices)
    if kind is qt.QLineEdit and look is str:

        def set_text(text):
            if text != widget.text():
                widget.setText(text)

        return widget.textChanged, widget.text, set_text
    if kind is ctk.ctkPathLineEdit and issubclass(look, pathlib.PurePath):
        return (
            widget.currentPathChanged,
            lambda: look(widget.currentPath),
            lambda path: setattr(widget, "currentPath", str(path)),
        )
    raise RuntimeError(f"Unable to join {parameter.name} ({look}) to a {kind.__name__}")


# The wrapper


class Wrapper:
    """What the decorator adds to a class of annotated settings."""

    allParameters: typing.ClassVar[dict[str, Parameter]]

    def __init__(self, parameterNode, prefix: str | None = None):
        self.parameterNode = parameterNode
        self._guis: dict[int, tuple] = {}
        self._writing = False
        for parameter in self.allParameters.values():
            parameter.read(parameterNode)

    def getValue(self, name: str):
        return self.allParameters[name].read(self.parameterNode)

    def setValue(self, name: str, value):
        self.allParameters[name].write(self.parameterNode, value)

    def default(self, name: str):
        return Default(self.allParameters[name].default)

    def connectGui(self, gui) -> int:
        """Join every widget with the property SlicerParameterName; gui: a widget or its `ui`."""
        widgets = (
            gui.findChildren(qt.QWidget) if hasattr(gui, "findChildren") else vars(gui).values()
        )
        named = ((w.property(PROPERTY), w) for w in widgets if hasattr(w, "property"))
        return self.connectParametersToGui({name: w for name, w in named if name})

    def connectParametersToGui(self, mapping: dict) -> int:
        tag = max(self._guis, default=-1) + 1
        writers, links = {}, []
        for name, widget in mapping.items():
            signal, read, write = connector(self.allParameters[name], widget)
            write(self.getValue(name))
            writers[name] = write

            def changed(*_, name=name, read=read):
                if not self._writing:
                    self.setValue(name, read())

            signal.connect(changed)
            links.append((signal, changed))
        observer = self.AddObserver("ModifiedEvent", lambda *_: self._show(writers))
        self._guis[tag] = (links, observer)
        return tag

    def _show(self, writers: dict):
        if self._writing:
            return
        self._writing = True
        try:
            for name, write in writers.items():
                write(self.getValue(name))
        finally:
            self._writing = False

    def disconnectGui(self, tag: int):
        links, observer = self._guis.pop(tag, ((), None))
        for signal, slot in links:
            with contextlib.suppress(RuntimeError):  # its widget is gone
                signal.disconnect(slot)
        if observer is not None:
            self.RemoveObserver(observer)

    def AddObserver(self, event, callback, priority=0.0):
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag):
        self.parameterNode.RemoveObserver(tag)

    def StartModify(self):
        return self.parameterNode.StartModify()

    def EndModify(self, was):
        return self.parameterNode.EndModify(was)

    def Modified(self):
        self.parameterNode.Modified()


def parameterNodeWrapper(cls=None):
    if cls is None:
        return parameterNodeWrapper
    hints = typing.get_type_hints(cls, include_extras=True)
    parameters = {n: Parameter(n, t, getattr(cls, n, ...)) for n, t in hints.items()}
    own = {n: v for n, v in vars(cls).items() if n not in ("__dict__", "__weakref__")}
    properties = {
        n: property(lambda s, n=n: s.getValue(n), lambda s, v, n=n: s.setValue(n, v))
        for n in parameters
    }
    return type(cls.__name__, (Wrapper,), {**own, **properties, "allParameters": parameters})


def isParameterNodeWrapper(what) -> bool:
    return isinstance(what, Wrapper) or (isinstance(what, type) and issubclass(what, Wrapper))

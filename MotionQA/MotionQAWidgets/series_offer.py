"""Whether a loaded volume is only a part of its DICOM stack, and the whole of it.

    offer = SeriesOffer()
    offer.found.connect(f)    # f(volumeNode, WholeStack), at once or later
    offer.look(volumeNode)

The headers of a whole study are read by a process of its own: it may lie on a slow share.
"""

from __future__ import annotations

from typing import NamedTuple

import slicer

from MotionQALib import protocol
from MotionQALib.signals import Signal
from MotionQALib.volume_process import FindStack, StackFound

from .message_process import MessageProcess
from .series_reading import MODULE
from .volume_input import frame_nodes

INSTANCES = "DICOM.instanceUIDs"
"""The attribute with which Slicer's DICOM plugins mark what they have loaded."""

_Key = tuple[str, int, int]


class WholeStack(NamedTuple):
    """A stack of which a volume shows but a part."""

    files: tuple[str, ...]
    n_slices: int
    n_frames: int
    n_series: int


class SeriesOffer:
    """See the top of this file; of several volumes that are asked for, the last is looked at."""

    def __init__(self) -> None:
        self.found = Signal()
        self._known: dict[_Key, WholeStack | None] = {}
        self._process: MessageProcess | None = None
        self._key: _Key | None = None

    @property
    def busy(self) -> bool:
        return self._process is not None

    def look(self, node) -> None:
        """Ask the database alone, here, and of what it does not tell the process."""
        key = _key_of(node)
        if key is None or key != self._key:
            self.stop()
        if key is None or self.busy:
            return
        if key in self._known:
            self._tell(node, self._known[key])
            return
        file, files = _study_of(key[0])
        if file:
            self._start(key, node, FindStack(file=file, paths=files))

    def stop(self) -> None:
        """Look no more; no signal follows."""
        process, self._process, self._key = self._process, None, None
        if process is not None:
            process.kill()

    def _start(self, key: _Key, node, request: FindStack) -> None:
        process = self._process = MessageProcess(MODULE)
        self._key = key
        process.received.connect(lambda message: self._on_found(key, node, message))
        process.ended.connect(lambda _log: self._on_found(key, node, None))
        process.send(request)

    def _on_found(self, key: _Key, node, message: protocol.Message | None) -> None:
        stack = None
        if isinstance(message, StackFound) and message.slices * message.frames > key[1] * key[2]:
            stack = WholeStack(tuple(message.files), message.slices, message.frames, message.series)
        self.stop()
        self._known[key] = stack
        if slicer.mrmlScene.IsNodePresent(node):
            self._tell(node, stack)

    def _tell(self, node, stack: WholeStack | None) -> None:
        if stack is not None:
            self.found.emit(node, stack)


def _key_of(node) -> _Key | None:
    """First image, slices and frames of a volume that was loaded from DICOM; None of another."""
    instance = _instance_of(node)
    if not instance:
        return None
    return instance, min(node.GetImageData().GetDimensions()), len(frame_nodes(node))


def _study_of(instance: str) -> tuple[str, list[str]]:
    """The image's file, and all files of its study; empty where the database has none."""
    database = getattr(slicer, "dicomDatabase", None)
    file = "" if database is None else str(database.fileForInstance(instance))
    if not file:
        return "", []
    study = database.studyForSeries(database.seriesForFile(file))
    series = database.seriesForStudy(study) if study else ()
    return file, [str(one) for uid in series for one in database.filesForSeries(uid)]


def _instance_of(node) -> str:
    """UID of a volume's first image, or of the first frame's that plays in it."""
    nodes = (node, *frame_nodes(node)[:1])
    held = (one.GetAttribute(INSTANCES) for one in nodes)
    return next((uids.split()[0] for uids in held if uids and uids.strip()), "")

"""The process that grades a batch: its options come as a line, its results go as lines.

It ends when its input ends, which is when whoever started it is gone; what is graded by then is on
the disk, and the next process goes on from there.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from .. import protocol
from ..batch import BatchOptions, GradedFile, distinct_names, grade, named_apart, read
from ..pending_read import PendingRead
from ..private_names import PrivateNames
from ..reading.reading_errors import ReadingError
from ..reading.session_lock import BEAT
from .batch_folder import BatchFolder, key_of
from .batch_messages import (
    BatchDevice,
    BatchEnded,
    BatchRefused,
    StartBatch,
    StopBatch,
    VolumeFailed,
    VolumeGraded,
    VolumesFound,
)

LOWER_PRIORITY = 10
"""Of 19: whoever works in Slicer meanwhile comes first."""

READERS = 2
"""Volumes that are read ahead at the same time; as many more are in memory."""


class BatchProcess:
    """Grades what the first line asks for.

    Parameters
    ----------
    requests, events : binary streams of lines
    """

    def __init__(self, requests: BinaryIO, events: BinaryIO) -> None:
        self._requests, self._events = requests, events
        self._stopping = threading.Event()
        self._graded: set[str] = set()
        self._failures: list[tuple[str, str]] = []
        self._not_graded = 0
        self._private = PrivateNames()

    def run(self) -> int:
        """Serve one batch; 0 where it came to its end."""
        try:
            start = protocol.decode(self._requests.readline(protocol.LONGEST_LINE))
        except protocol.ProtocolError as error:
            return self._refuse(str(error))
        if not isinstance(start, StartBatch):
            return self._refuse(f"{type(start).__name__} begins no batch.")
        threading.Thread(target=self._listen, daemon=True).start()
        try:
            with BatchFolder.open(start.output) as results:
                self._beat(results)
                return self._serve(start, results)
        except ReadingError as error:
            return self._refuse(str(error))
        except ModuleNotFoundError as error:
            return self._refuse(f"The Python package {error.name} is not installed.")
        except Exception as error:  # the user is told, whatever it is
            traceback.print_exc()
            text = (str(error).strip().splitlines() or ["no reason given"])[0].rstrip(".")
            return self._refuse(f"The batch failed ({type(error).__name__}: {text}).")

    def _serve(self, start: StartBatch, results: BatchFolder) -> int:
        from .. import checkpoints

        paths = self._find(start.sources)
        try:
            checkpoint = checkpoints.resolve(start.checkpoint)
            settings = checkpoints.read_card(checkpoint).to_json()
        except checkpoints.CheckpointError as error:
            return self._refuse(str(error))
        keys = {key_of(path, settings): path for path in paths}
        waiting = self._tell_known(keys, results)
        sentence = ""
        try:
            if waiting and not self._stopping.is_set():
                self._grade(waiting, keys, _assessor(checkpoint, start.device, self._send), results)
            results.write_tables(keys, self._failures)
        except ReadingError as error:  # the disk is full, the folder has gone
            sentence = str(error)
        left = len(set(waiting) - self._graded) - self._not_graded
        self._send(BatchEnded(left=left, sentence=sentence))
        return 1 if sentence else 0

    def _find(self, sources: list) -> list[Path]:
        from .. import volumes

        paths: dict[Path, None] = {}
        for source in map(str, sources):
            try:
                paths.update(dict.fromkeys(volumes.find(source)))
            except volumes.VolumeError as error:
                self._fail(Path(source), str(error))
        return list(paths)

    def _tell_known(self, keys: dict[str, Path], results: BatchFolder) -> dict[str, Path]:
        """Tell what earlier runs have graded; the volumes that are left."""
        self._send(VolumesFound(total=len(keys)))
        for known in results.lines():
            self._private.keep(known.assessment.volume)
            if known.key in keys:
                self._tell(known.assessment, known.key, keys, known.line, results, known=True)
        return {key: path for key, path in keys.items() if key not in self._graded}

    def _grade(self, waiting: dict[str, Path], keys, assessor, results: BatchFolder) -> None:
        from ..assessment import Cancelled

        names = distinct_names(list(keys.values()))
        options = BatchOptions()
        for key, path, volume in self._read_ahead(waiting, options):
            try:
                done = grade(path, volume, assessor, options, cancelled=self._stopping.is_set)
            except Cancelled:
                return
            done = self._private(named_apart(done, names))
            if done.assessment is None:
                self._not_graded += 1
                self._fail(path, str(done.error))
                continue
            line = results.add(key, done.assessment, _picture(volume, done.assessment))
            self._tell(done.assessment, key, keys, line, results, known=False)

    def _read_ahead(self, waiting: dict[str, Path], options: BatchOptions) -> Iterator[tuple]:
        """(key, path, volume or sentence) in order, while the next ones are read."""
        coming: deque[tuple] = deque()
        unread = iter(waiting.items())
        while True:
            for key, path in islice(unread, READERS + 1 - len(coming)):
                coming.append((key, path, PendingRead(read, path, options)))
            if not coming:
                return
            key, path, pending = coming.popleft()
            volume = pending.result(self._stopping.is_set)
            if volume is None or self._stopping.is_set():
                return
            yield key, path, volume
            del volume, pending

    def _tell(self, assessment, key, keys, line: int, results: BatchFolder, known: bool) -> None:
        self._graded.add(key)
        picture = results.picture(key)
        self._send(
            VolumeGraded.of(
                assessment,
                path=str(keys[key]),
                line=line,
                picture=str(picture) if picture.is_file() else "",
                known=known,
            )
        )

    def _fail(self, path: Path, sentence: str) -> None:
        sentence = str(self._private(GradedFile(path, error=sentence)).error)
        self._failures.append((self._private.source(path), sentence))
        self._send(VolumeFailed(path=str(path), sentence=sentence))

    def _refuse(self, sentence: str) -> int:
        self._send(BatchRefused(sentence=sentence))
        return 2

    def _send(self, event: protocol.Message) -> None:
        try:
            self._events.write(event.encode())
            self._events.flush()
        except OSError:  # nobody listens any more
            self._stopping.set()

    def _listen(self) -> None:
        with suppress(OSError, protocol.ProtocolError):
            while line := self._requests.readline(protocol.LONGEST_LINE):
                if isinstance(protocol.decode(line), StopBatch):
                    break
        self._stopping.set()

    def _beat(self, results: BatchFolder) -> None:
        def beat() -> None:
            while not self._stopping.wait(BEAT):
                with suppress(ReadingError):  # the next result says it
                    results.beat()

        threading.Thread(target=beat, daemon=True).start()


def _assessor(checkpoint: Path, device: str, send):
    from ..assessment import Assessor

    assessor = Assessor(checkpoint, device=device)
    send(BatchDevice(reason=assessor.device_reason))
    return assessor


def _picture(volume, assessment) -> bytes:
    """The worst slice in its worst frame, as PNG; empty where it cannot be drawn."""
    from ..slice_pictures import draw

    index = assessment.slices_from_worst[0]
    position = int(assessment.worst_frames[index]) * assessment.n_slices + index
    try:
        return draw(volume, [position])[0].image
    except (ValueError, ImportError):
        return b""


def main() -> int:
    from ..privacy import silence_child
    from ..worker import own_streams

    silence_child()
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as the worker does, and for its reason
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in Slicer's terminal is Slicer's
    if hasattr(os, "nice"):
        os.nice(LOWER_PRIORITY)
    status = BatchProcess(*own_streams()).run()
    os._exit(status)  # a reader may still wait for a share that hangs

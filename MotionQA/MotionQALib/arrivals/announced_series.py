"""The process that grades series which another program announces, image by image.

It ends when its input ends, which is when whoever started it is gone. What was announced and not
graded by then must be announced to the next one, which grades nothing twice.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from .. import protocol
from ..reading.reading_errors import ReadingError
from ..reading.session_lock import BEAT
from ..results import Assessment
from .arrival_entry import Entry
from .arrival_messages import (
    ArrivalsDevice,
    ArrivalsReady,
    ArrivalsRefused,
    ArrivalsSaid,
    ImagesArrived,
    SeriesDone,
    StartArrivals,
)
from .arrival_results import LEDGER, ArrivalResults, Graded
from .arrival_service import ArrivalService
from .arrivals import Arrivals
from .arriving_series import ArrivingSeries
from .folder_watch import PATIENCE
from .image_facts import ImageFacts
from .series_grader import READING, read_series
from .slow_calls import SlowCalls, StillWaiting

LISTED = 300
"""Series from before that are told again."""

LOOK = 1.0
"""Seconds between looks at whether headers can be read that could not."""

TROUBLE = (
    "{count} files that arrived cannot be read yet: their drive or share does not answer. Others "
    "are graded meanwhile."
)


class AnnouncedSeries:
    """Grades what is announced.

    Parameters
    ----------
    requests, events : binary streams of lines
    """

    def __init__(self, requests: BinaryIO, events: BinaryIO) -> None:
        self._requests, self._events = requests, events
        self._sending = threading.Lock()
        self._stopping = threading.Event()
        self._paths: dict[str, dict[Path, None]] = {}
        self._announced: queue.SimpleQueue[Path] = queue.SimpleQueue()
        self._reading, self._recalling = SlowCalls(PATIENCE), SlowCalls(PATIENCE)
        self._trouble = ""

    def run(self) -> int:
        """Serve until the input ends."""
        try:
            start = protocol.decode(self._requests.readline(protocol.LONGEST_LINE))
            if not isinstance(start, StartArrivals):
                raise protocol.ProtocolError(f"{type(start).__name__} begins nothing here.")
            results = ArrivalResults(start.output)
        except (protocol.ProtocolError, ReadingError) as error:
            return self._refuse(str(error))
        except OSError as error:
            return self._refuse(f"The results cannot be kept in {start.output}: {error.strerror}.")
        try:
            return self._serve(start, results)
        except ModuleNotFoundError as error:
            return self._refuse(f"The Python package {error.name} is not installed.")
        except Exception as error:  # the user is told, whatever it is
            traceback.print_exc()
            return self._refuse(str(error) or type(error).__name__)
        finally:
            results.close()

    def _serve(self, start: StartArrivals, results: ArrivalResults) -> int:
        self._tell_known(results)
        assessor = assessor_of(start)
        self._send(ArrivalsDevice(reason=assessor.device_reason))
        arrivals = Arrivals(start.quiet, start.patience)
        service = ArrivalService(
            arrivals,
            _Telling(results, self._send),
            AnnouncedGrader(assessor),
            say=lambda sentence: None,  # the entries tell it
            recall=self._recall,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        threading.Thread(target=self._read_headers, args=(service,), daemon=True).start()
        beaten = time.monotonic()
        while not self._stopping.is_set():
            service.trouble("headers", self._trouble)
            service.step()
            service.wait()
            if time.monotonic() - beaten > BEAT:
                beaten = time.monotonic()
                with suppress(ReadingError):  # the next result says it
                    results.ledger.beat()
        return 0

    def _tell_known(self, results: ArrivalResults) -> None:
        entries = {entry.content: entry for entry in results.ledger.entries}
        known = [[entry.series, entry.images] for entry in entries.values()]
        listed = dict(list(entries.items())[-LISTED:])
        for line, record in lines_of(results.folder):
            content = record.get("entry", {}).get("content")
            if content in listed:
                self._send(SeriesDone(entry=record["entry"], line=line, new=False))
        self._send(ArrivalsReady(known=known))

    def _listen(self) -> None:
        """Take announcements, in a thread of its own: none waits for a grade or a file."""
        with suppress(OSError):
            while line := self._requests.readline(protocol.LONGEST_LINE):
                try:
                    message = protocol.decode(line)
                except protocol.ProtocolError as error:
                    self._send(ArrivalsSaid(sentence=str(error)))
                    continue
                if isinstance(message, ImagesArrived):
                    for path in message.paths:
                        self._announced.put(Path(path))
        self._stopping.set()

    def _read_headers(self, service: ArrivalService) -> None:
        """In a thread of its own; a header that cannot be read yet holds up no other."""
        unread: dict[Path, bool] = {}
        while not self._stopping.is_set():
            with suppress(queue.Empty):
                path = self._announced.get(timeout=LOOK)
                while True:
                    self._read_header(path, service, unread)
                    path = self._announced.get_nowait()
            for path in list(unread):
                self._read_header(path, service, unread)
            self._tell_unread(unread)

    def _tell_unread(self, unread: dict[Path, bool]) -> None:
        late = sum(unread.values())
        self._trouble = TROUBLE.format(count=late) if late else ""

    def _read_header(self, path: Path, service: ArrivalService, unread: dict[Path, bool]) -> None:
        try:
            facts = self._reading.get(path, partial(self._facts, path))
        except StillWaiting as waiting:
            unread[path] = waiting.late
            self._tell_unread(unread)
            return
        unread.pop(path, None)
        if facts is not None:
            self._paths.setdefault(facts.series, {})[path] = None
            service.take(facts)

    def _facts(self, path: Path) -> ImageFacts | None:
        try:
            return ImageFacts.of_file(path)
        except ValueError as error:
            if "no image" not in str(error):
                self._send(ArrivalsSaid(sentence=f"A file was passed over: {error}"))
        except OSError as error:
            reason = error.strerror or type(error).__name__
            self._send(ArrivalsSaid(sentence=f"A file cannot be read: {reason}."))
        return None

    def _recall(self, image: ImageFacts) -> Iterator[ImageFacts]:
        for path in list(self._paths.get(image.series, ())):
            with suppress(StillWaiting):
                facts = self._recalling.get(path, partial(self._facts, path))
                if facts is not None:
                    yield facts

    def _refuse(self, sentence: str) -> int:
        self._send(ArrivalsRefused(sentence=sentence))
        return 2

    def _send(self, event: protocol.Message) -> None:
        with self._sending:
            try:
                self._events.write(event.encode())
                self._events.flush()
            except OSError:  # nobody listens any more
                self._stopping.set()


class _Telling:
    """An `ArrivalResults` that tells what it is given."""

    def __init__(self, results: ArrivalResults, send) -> None:
        self._results, self._send = results, send
        self.ledger, self.report_path = results.ledger, results.report_path
        self.attempts = results.attempts

    def trouble(self, kind: str, sentence: str) -> bool:
        changed = self._results.trouble(kind, sentence)
        if changed:
            self._send(ArrivalsSaid(sentence=" ".join(self._results.troubles)))
        return changed

    def add(self, entry: Entry, graded: Graded | None) -> Entry:
        line = 0
        with suppress(OSError):  # it has gone, which is said when it is written to
            line = self.ledger.path.stat().st_size
        entry = self._results.add(entry, graded)
        self._send(SeriesDone(entry=entry.to_dict(), line=line, new=True))
        return entry


class AnnouncedGrader:
    """Reads and grades series with one Assessor."""

    def __init__(self, assessor) -> None:
        self._assessor, self._calls = assessor, SlowCalls(READING)

    def __call__(self, series: ArrivingSeries) -> Graded:
        """VolumeError, AssessmentError: it cannot be; a sentence. StillWaiting: ask again."""
        read = partial(read_series, series)
        volume = self._calls.get(series.uid, read, series.content)
        assessment = self._assessor.assess(volume)
        return Graded(assessment, _pictures(volume, assessment))


def _pictures(volume, assessment: Assessment) -> dict[int, bytes]:
    """The worst slice, in its worst frame."""
    from ..slice_pictures import draw

    index = assessment.slices_from_worst[0]
    position = int(assessment.worst_frames[index]) * assessment.n_slices + index
    return {index: draw(volume, [position])[0].image}


def assessor_of(start: StartArrivals):
    """The Assessor of the checkpoint and device that are asked for."""
    from .. import checkpoints
    from ..assessment import Assessor

    return Assessor(checkpoints.resolve(start.checkpoint), device=start.device)


def lines_of(folder: str | Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Where each record of the results begins, in bytes, and the record."""
    line = 0
    with (Path(folder) / LEDGER).open("rb") as file:
        for content in file:
            if content.endswith(b"\n") and (record := _record(content)) is not None:
                yield line, record
            line += len(content)


def assessment_at(folder: str | Path, line: int) -> Assessment | None:
    """The assessment of the record that begins there; None where there is none."""
    try:
        with (Path(folder) / LEDGER).open("rb") as file:
            file.seek(line)
            record = _record(file.readline()) or {}
        return Assessment.from_dict(record["assessment"])
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _record(content: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(content)
    except ValueError:
        return None
    return record if isinstance(record, dict) else None


def main(arguments: Sequence[str] = ()) -> None:
    from ..privacy import silence_child
    from ..worker import own_streams

    os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # as the worker does, and for its reason
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in Slicer's terminal is Slicer's
    silence_child()
    os._exit(AnnouncedSeries(*own_streams()).run())

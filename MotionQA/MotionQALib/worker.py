"""The warm child process that serves an `Assessor`: requests on its input, events on its output.

torch is imported as soon as it starts and a checkpoint stays loaded, so that a request costs the
forward pass and little more. See `protocol` for what is said. It ends when its input ends, which
is when whoever started it is gone, for whatever reason; nothing that is asked makes it end
otherwise.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from . import protocol
from .error_text import reason
from .protocol import Assess, Cancel, Explain, Load, Message, Ping, ProtocolError, Quit

if TYPE_CHECKING:
    from .assessment import Assessor
    from .volumes import Volume

CPU_BATCH = 4
"""Slices at a time on a CPU: no slower than more, and progress shows and stopping works sooner."""

PARENT_CHECK = 2.0
"""Seconds between looks at whether the parent lives, where the system does not tell."""


class Worker:
    """Reads requests in a thread, so that cancelling works while the main thread computes.

    Parameters
    ----------
    requests, events : binary streams of lines
    device : which device to tell about at the start, as for `Assessor`
    """

    def __init__(self, requests: BinaryIO, events: BinaryIO, device: str = "auto") -> None:
        self._requests = requests
        self._events = events
        self._wanted_device = device
        self._sending = threading.Lock()
        self._waiting: queue.SimpleQueue[Load] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._files: dict[int, list[str]] = {}
        self._loaded: tuple[tuple, Assessor] | None = None
        self._device: protocol.Device | None = None

    def run(self) -> None:
        """Serve until the input ends; never returns otherwise."""
        ready = protocol.Ready(
            protocol=protocol.VERSION, pid=os.getpid(), python=sys.version.split()[0]
        )
        self._send(ready)
        threading.Thread(target=self._read, daemon=True).start()
        with suppress(Exception):  # the first request will find it again and report it
            self._look_for_device(self._wanted_device)
        while True:
            self._serve(self._waiting.get())

    def _send(self, event: Message) -> None:
        with self._sending:
            try:
                self._events.write(event.encode())
                self._events.flush()
            except OSError:  # nobody listens any more
                self._end()

    # Reading, in its own thread

    def _read(self) -> None:
        try:
            while line := self._requests.readline(protocol.LONGEST_LINE):
                try:
                    self._take(protocol.decode(line))
                except ProtocolError as error:
                    self._send(protocol.Failed(id=None, sentence=str(error)))
        finally:
            self._end()

    def _take(self, request: Message) -> None:
        if isinstance(request, Quit):
            self._end()
        elif isinstance(request, Ping):
            self._send(protocol.Pong(id=request.id))
        elif isinstance(request, Cancel):
            self._cancelled.add(request.id)
        elif isinstance(request, Load):
            if isinstance(request, Assess):
                output = [request.output] if isinstance(request, Explain) else []
                self._files[request.id] = [request.voxels, *output]
            self._waiting.put(request)
        else:
            raise ProtocolError(f"{type(request).__name__} is no request.")

    def _end(self) -> None:
        """Leave at once, from any thread; nobody else may be left to delete these files."""
        for path in [path for paths in self._files.values() for path in paths]:
            _delete(path)
        os._exit(0)

    # Serving, in the main thread

    def _serve(self, request: Load) -> None:
        try:
            answer = self._answer(request)
        except Exception as error:
            answer = _failure(request, error)
        if isinstance(request, Assess):
            _delete(request.voxels)  # where it could not be while mapped, or was never opened
            del self._files[request.id]
        self._cancelled.discard(request.id)
        self._send(answer)
        self._give_memory_back()

    def _answer(self, request: Load) -> Message:
        from .assessment import Cancelled

        answers = {Load: self._load, Assess: self._assess, Explain: self._explain}
        try:
            if request.id in self._cancelled:
                raise Cancelled
            return answers[type(request)](request)
        except Cancelled:
            return protocol.RequestCancelled(id=request.id)

    def _load(self, request: Load) -> Message:
        from . import checkpoints
        from .assessment import Assessor

        path = checkpoints.resolve(request.checkpoint)
        key = (path, request.device, *_stamp(path))
        if self._loaded is None or self._loaded[0] != key:
            kind = self._look_for_device(request.device)
            batch = CPU_BATCH if kind == "cpu" else None
            self._loaded = None  # two networks at once could be too much for the memory
            self._loaded = (key, Assessor(path, device=request.device, batch_size=batch))
            self._tell_device()
        return protocol.Loaded(
            id=request.id,
            checkpoint=request.checkpoint,
            device=request.device,
            card=asdict(self._assessor.card),
        )

    def _assess(self, request: Assess) -> Message:
        volume, watched = self._prepare(request)
        assessment = self._assessor.assess(volume, **watched)
        self._tell_device()
        return protocol.Result(id=request.id, assessment=assessment.to_dict())

    def _explain(self, request: Explain) -> Message:
        import numpy as np

        from .explanation import relevance_of

        volume, watched = self._prepare(request)
        maps = relevance_of(self._assessor, volume, request.positions, **watched)
        self._tell_device()
        with Path(request.output).open("wb") as file:
            np.save(file, maps)
        return protocol.Explained(id=request.id, output=request.output)

    def _prepare(self, request: Assess) -> tuple[Volume, dict]:
        """The volume of a request, and what to tell of the computing and ask meanwhile."""
        was = self._loaded
        loaded = self._load(request)
        if self._loaded is not was:
            self._send(loaded)

        def tell(done: int, total: int) -> None:
            self._send(protocol.Progress(id=request.id, done=done, total=total))

        return read_volume(request), {
            "progress": tell,
            "cancelled": lambda: request.id in self._cancelled,
        }

    @property
    def _assessor(self) -> Assessor:
        assert self._loaded is not None
        return self._loaded[1]

    def _look_for_device(self, wanted: str) -> str:
        """Import torch, tell where it would compute, and say what kind of device that is."""
        from . import assessment  # noqa: F401  a request will need it
        from .devices import find_device

        device, reason = find_device(wanted)
        self._tell(protocol.Device(device=str(device), reason=reason))
        return device.type

    def _tell_device(self) -> None:
        """Tell where it computes, if that has changed: another device may have taken over."""
        by = self._assessor
        self._tell(
            protocol.Device(device=str(by.device), reason=by.device_reason, precision=by.precision)
        )

    def _tell(self, news: protocol.Device) -> None:
        if news != self._device:
            self._device = news
            self._send(news)

    def _give_memory_back(self) -> None:
        """Between requests others may need the GPU's memory, Slicer's rendering first of all."""
        if self._loaded is not None and self._assessor.device.type != "cpu":
            from .devices import release_memory

            release_memory(self._assessor.device)


def read_volume(request: Assess) -> Volume:
    """The volume of a request, its voxels mapped from the file; VolumeError if it is none."""
    import numpy as np

    from .volumes import Volume, VolumeError, check

    try:
        voxels = np.load(request.voxels, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise VolumeError(
            f"{request.name} did not reach the grading process ({error}); try again."
        ) from None
    _delete(request.voxels)  # what is mapped stays readable; Windows refuses, and does it later
    if not isinstance(voxels, np.ndarray) or voxels.dtype.kind not in "biuf":
        raise VolumeError(f"{request.name} cannot be graded: its voxels are not plain numbers.")
    if len(request.spacing) != 3:
        raise VolumeError(f"{request.name} cannot be graded: its spacing is {request.spacing}.")
    identity = request.identity or ""
    volume = Volume(
        voxels=voxels,
        spacing=tuple(request.spacing),
        name=request.name,
        source=None if request.source is None else Path(request.source),
        series_uid=identity.removeprefix("dicom:") if identity.startswith("dicom:") else None,
        remarks=tuple(map(str, request.remarks)),
    )
    if identity:
        vars(volume)["identity"] = identity  # known already: the voxels need no hashing
    return check(volume)


def _delete(path: str) -> None:
    with suppress(OSError):
        Path(path).unlink()


def _stamp(path: Path) -> tuple[int, ...]:
    """Changes when the file does, as when a checkpoint is trained anew under the same name."""
    with suppress(OSError):
        status = path.stat()
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size
    return ()


def _failure(request: Load, error: Exception) -> protocol.Failed:
    """What went wrong as a sentence for the user; what it was exactly goes to the log."""
    what = request.name if isinstance(request, Assess) else request.checkpoint
    missing = None
    if type(error).__module__.partition(".")[0] == __package__:
        sentence = str(error)  # MotionQA's own errors speak to the user
    elif isinstance(error, ModuleNotFoundError) and error.name:
        missing = error.name.partition(".")[0]
        sentence = f"The Python package {missing} is not installed."
    elif isinstance(error, MemoryError):
        sentence = f"Memory ran out for {what}: close other programs and try again."
    else:
        traceback.print_exception(error)
        text = reason(error, "no reason given")
        sentence = f"{what} failed unexpectedly ({type(error).__name__}: {text})."
    return protocol.Failed(id=request.id, sentence=sentence, missing=missing)


def own_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep input and output to the protocol: a library that prints does so to the error stream."""
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)  # on Windows, loading a library waits for whoever reads the true input
    os.close(nothing)
    os.dup2(2, 1)
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123  for as long as it runs
    sys.stdout = sys.stderr
    return requests, events


def _die_with_parent() -> None:
    """Belt and braces: end with the parent even when stopped, or when someone holds the pipe."""
    parent = os.getppid()
    if sys.platform == "linux":
        import ctypes

        with suppress(OSError, AttributeError):
            set_death_signal = 1  # PR_SET_PDEATHSIG of prctl(2)
            ctypes.CDLL(None).prctl(set_death_signal, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_CHECK)
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def main(device: str = "auto") -> None:
    # Before torch is there: where other processes want the cores too, GNU's OpenMP loses more by
    # spinning at its barriers than by sleeping (a volume took 451 ms with, 250 ms without).
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in Slicer's terminal is Slicer's
    Worker(*own_streams(), device).run()


if __name__ == "__main__":
    main(*sys.argv[1:2])

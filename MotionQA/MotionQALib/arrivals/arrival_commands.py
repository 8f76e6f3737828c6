"""``motionqa watch`` and ``motionqa listen``: grading without a window."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..output_files import UsageError, need_package

if TYPE_CHECKING:
    from ..command_output import CommandOutput
    from .arrival_service import ArrivalService
    from .image_facts import ImageFacts

LOOK = 1.0
"""Seconds between looks at the folder."""

GIVEN_UP = 600.0
"""Seconds without anything new after which ``--once`` waits no longer for a share that hangs."""


def run_watch(arguments: argparse.Namespace, console: CommandOutput) -> int:
    """Watch a folder until asked to end; the exit status. Raises UsageError."""
    from ..output_files import UsageError
    from .folder_watch import FolderWatch
    from .looking import Looking

    folder = Path(arguments.folder)
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder.")
    say = _sayer(console)
    watch = FolderWatch(folder, say, but=(Path(arguments.output),), identify=arguments.identify)
    with ExitStack() as stack:
        service = _service(arguments, console, stack, say, watch.beside)
        say(f"Watching a folder; results go to {Path(arguments.output).name}.")
        stop = _stop_event(stack)
        looking = Looking(watch, service.take, LOOK)
        stack.callback(looking.stop)
        while not stop.is_set():
            service.step()
            service.trouble("folder", looking.trouble, "The watched folder answers again.")
            if arguments.once:
                if looking.empty > 1 and service.idle:
                    return 1 if looking.trouble else 0
                if min(looking.seconds_without, service.seconds_without) > GIVEN_UP:
                    say("What is left does not answer; it is graded when it is watched again.")
                    return 1
            service.wait()
    return 0


def run_listen(arguments: argparse.Namespace, console: CommandOutput) -> int:
    """Listen until asked to end; the exit status. Raises UsageError."""
    need_package("pynetdicom", "Listening")
    from ..dimse.listener_settings import MEGABYTE, ListenerSettings
    from ..dimse.object_store import ObjectStore, revision_of
    from ..dimse.receiver import Receiver
    from .image_facts import ImageFacts

    if not _is_loopback(arguments.host) and not arguments.calling:
        raise UsageError(
            f"others can reach {arguments.host}, so name who may send with --calling AE."
        )
    settings = ListenerSettings(
        host=arguments.host,
        port=arguments.port,
        title=arguments.ae_title,
        callers=tuple(arguments.calling),
        most_associations=arguments.max_associations,
        largest_object=arguments.max_object * MEGABYTE,
        most_in_flight=max(4, arguments.max_object // 250) * 1000 * MEGABYTE,
        free_space=arguments.free_space * MEGABYTE,
        stalled=arguments.timeout,
    )
    say = _sayer(console)

    def read(path: Path) -> ImageFacts:
        return replace(ImageFacts.of_file(path, arguments.identify), revision=revision_of(path))

    with ExitStack() as stack:
        store = ObjectStore(Path(arguments.output) / "incoming", settings.free_space)

        def stored(image: ImageFacts) -> list[ImageFacts]:
            return [read(path) for path in store.files_of(image.series)]

        service = _service(
            arguments, console, stack, say, stored, release=store.remove, keep=arguments.keep * 3600
        )
        for path in store.files():  # what came before the last end
            try:
                service.take(read(path))
            except (ValueError, OSError):
                say("A stored object cannot be read any more; it is left where it is.")
        receiver = Receiver(settings, store, service.take, say, identify=arguments.identify)
        stack.callback(receiver.stop)
        say(f"Listening as {settings.title} at {settings.host}, port {receiver.port}.")
        stop = _stop_event(stack)
        while not stop.is_set():
            service.step()
            service.wait()
    return 0


def _service(
    arguments: argparse.Namespace,
    console: CommandOutput,
    stack: ExitStack,
    say: Callable[[str], None],
    recall: Callable[[ImageFacts], Iterable[ImageFacts]],
    **options,
) -> ArrivalService:
    """Load the checkpoint, open the results; all that is to be closed goes onto the stack."""
    from .. import checkpoints
    from ..assessment import Assessor
    from .arrival_results import ArrivalResults
    from .arrival_service import ArrivalService
    from .arrivals import Arrivals
    from .outbox import Outbox
    from .series_grader import SeriesGrader

    reports = _reports(arguments, say)
    path = checkpoints.resolve(arguments.checkpoint)
    # Before the checkpoint is loaded: that a second one runs is told at once.
    results = ArrivalResults(arguments.output, checkpoints.read_card(path).notice)
    stack.callback(results.close)
    for sentence in results.ledger.reports:
        say(sentence)
    assessor = Assessor(
        path,
        device=arguments.device,
        precision=arguments.precision,
        batch_size=arguments.batch_size,
    )
    outbox = None
    if arguments.send:
        from ..dimse.sender import send

        outbox = Outbox(partial(send, peer=arguments.send, title=arguments.ae_title), say)
        stack.callback(outbox.stop)
    grader = SeriesGrader(assessor, reports=reports, identify=arguments.identify)
    return ArrivalService(
        Arrivals(arguments.quiet, arguments.patience),
        results,
        grader,
        report_again=grader.report_again,
        select=arguments.select,
        say=say,
        recall=recall,
        outbox=outbox,
        recipient=str(arguments.send or ""),
        **options,
    )


def _reports(arguments: argparse.Namespace, say: Callable[[str], None]) -> bool:
    if arguments.send:
        need_package("pynetdicom", "Sending")
    if arguments.sr or arguments.send:
        need_package("highdicom", "A DICOM report")
    there = find_spec("highdicom") is not None
    if arguments.sr is None and not there:
        say("No DICOM reports are written: highdicom is missing (pip install 'motionqa[dicom]').")
    return there and arguments.sr is not False


def _sayer(console: CommandOutput) -> Callable[[str], None]:
    """Lines with the time, from several threads."""
    lock = threading.Lock()

    def say(sentence: str) -> None:
        with lock:
            console.say(f"{datetime.now():%Y-%m-%d %H:%M:%S} {sentence}")

    return say


def _stop_event(stack: ExitStack) -> threading.Event:
    """Set by SIGTERM, as from systemd, and by Ctrl+C."""
    stop = threading.Event()
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.signal(number, lambda *_: stop.set())
            stack.callback(signal.signal, number, before)
    return stop


def _is_loopback(host: str) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"

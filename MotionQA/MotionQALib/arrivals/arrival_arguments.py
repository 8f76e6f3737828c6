"""The command lines of ``motionqa watch`` and ``motionqa listen``."""

from __future__ import annotations

import argparse

from ..dimse.listener_settings import MEGABYTE, ListenerSettings
from ..dimse.peers import Peer, PeerError, checked_title
from ..grading_arguments import add_checkpoint, add_computing, positive_count

RESULTS = "motionqa-results"

_DEFAULTS = ListenerSettings()

_END = """exit status: 0 it was asked to end; 1 it could not go on; 2 bad usage"""


def add_arrivals(commands) -> None:
    """Add both commands to the parser's."""
    watch = commands.add_parser(
        "watch",
        help="grade DICOM series as they arrive in a folder",
        description="Grade each complete DICOM series in a folder once, as it arrives: a table, "
        "JSON lines, a page that refreshes itself, and DICOM reports.",
        epilog=_END,
    )
    watch.add_argument("folder", metavar="FOLDER", help="searched with all its subfolders")
    watch.add_argument(
        "--once", action="store_true", help="end when all that is there has been dealt with"
    )
    _add_common(watch)
    listen = commands.add_parser(
        "listen",
        help="grade DICOM series that are sent to it (C-STORE)",
        description="Receive MR images by C-STORE, and grade each complete series once.",
        epilog=_END,
    )
    _add_listening(listen)
    _add_common(listen)


def _add_listening(listen: argparse.ArgumentParser) -> None:
    group = listen.add_argument_group("listening")
    add = group.add_argument
    add("--port", type=_port, default=_DEFAULTS.port, metavar="N", help="(%(default)s)")
    add(
        "--host",
        default=_DEFAULTS.host,
        metavar="ADDRESS",
        help="to listen at (%(default)s: this machine alone; 0.0.0.0: all its networks)",
    )
    add(
        "--calling",
        action="append",
        default=[],
        type=_title,
        metavar="AE",
        help="an AE title that may send; may be given several times, and must be where others "
        "than this machine can reach it",
    )
    add("--max-associations", type=positive_count, default=_DEFAULTS.most_associations, metavar="N",
        help="at once (%(default)s)")  # fmt: skip
    largest = _DEFAULTS.largest_object // MEGABYTE
    add("--max-object", type=positive_count, default=largest, metavar="MB",
        help="largest object (%(default)s)")  # fmt: skip
    add("--free-space", type=_whole, default=_DEFAULTS.free_space // MEGABYTE, metavar="MB",
        help="of the disk that stay free (%(default)s)")  # fmt: skip
    add("--timeout", type=_seconds, default=_DEFAULTS.stalled, metavar="S",
        help="seconds until a sender that stalls is let go (%(default)g)")  # fmt: skip
    add("--keep", type=_seconds, default=24.0, metavar="HOURS",
        help="that received images are kept after they were graded (%(default)g)")  # fmt: skip


def _add_common(command: argparse.ArgumentParser) -> None:
    add_checkpoint(command)
    arriving = command.add_argument_group("series")
    add = arriving.add_argument
    add("--quiet", type=_seconds, default=5.0, metavar="S",
        help="seconds without a new image until a series is graded (%(default)g)")  # fmt: skip
    add("--patience", type=_seconds, default=60.0, metavar="S",
        help="seconds until an incomplete series is said to be so (%(default)g)")  # fmt: skip
    add(
        "--select",
        choices=("short-axis", "cine", "all"),
        default="short-axis",
        help="which series are graded (%(default)s)",
    )
    output = command.add_argument_group("output")
    add = output.add_argument
    add("--output", metavar="DIR", default=RESULTS, help="a folder for results (%(default)s)")
    add(
        "--sr",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="write DICOM reports (by default where highdicom is installed)",
    )
    add("--send", type=_peer, metavar="AE@HOST:PORT", help="send the reports there")
    add("--ae-title", type=_title, default=_DEFAULTS.title, metavar="AE",
        help="our own title (%(default)s)")  # fmt: skip
    add(
        "--identify",
        action="store_true",
        help="show the patient's name and number on the page and in the results",
    )
    add_computing(command)


def _title(text: str) -> str:
    try:
        return checked_title(text)
    except PeerError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _peer(text: str) -> Peer:
    try:
        return Peer.parse(text)
    except PeerError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 65536):
        raise argparse.ArgumentTypeError(f"a port is a number from 0 to 65535, not {text!r}")
    return int(text)


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"a whole number from 0 on is needed, not {text!r}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1e7:
        raise argparse.ArgumentTypeError(f"a number above 0 is needed, not {text!r}")
    return value

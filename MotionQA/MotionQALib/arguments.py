"""The command line of ``motionqa``: what may be asked, and what makes no sense."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from .arrivals.arrival_arguments import add_arrivals
from .batch import Spacing
from .grading_arguments import add_checkpoint, add_computing, positive_count
from .output_files import UsageError, check_files, need_package
from .reading.agreement_command import add_agreement
from .version import version

_EXAMPLES = """examples:
  motionqa assess patient.nii.gz
  motionqa assess study/ --csv grades.csv --html report.html
  motionqa assess study/ --csv grades.csv --resume      go on after an interruption

exit status: 0 all graded; 1 something could not be graded, each named on stderr; 2 bad usage
"""


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(
        prog="motionqa",
        description="Grade respiratory-motion artefacts in cardiac MR: every slice and volume "
        "from 5 (excellent) to 1 (non-diagnostic), and as mild, moderate or severe.",
    )
    top.add_argument("--version", action="version", version=f"motionqa {version()}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_assess(commands)
    commands.add_parser(
        "checkpoints",
        help="list the checkpoints that are installed",
        description="List the checkpoints that --checkpoint takes by name.",
    )
    add_agreement(commands)
    add_arrivals(commands)
    return top


def _add_assess(commands) -> None:
    assess = commands.add_parser(
        "assess",
        help="grade files",
        description="Grade NIfTI, NRRD and MetaImage files and DICOM series.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = assess.add_argument
    add("paths", metavar="PATH", nargs="+", help="a file, a DICOM folder, or a folder of those")
    add_checkpoint(assess)
    outputs = assess.add_argument_group("output")
    add = outputs.add_argument
    add("--csv", metavar="F", help="write a row for every slice and volume")
    add("--json", metavar="F", help="write all that is known, for programs")
    add("--html", metavar="F", help="write a report with pictures")
    add(
        "--sr",
        metavar="F",
        help="write a DICOM report (Structured Report) of a DICOM series; of several, into the "
        "folder F",
    )
    add(
        "--explain",
        action="store_true",
        help="show in the report where the network saw motion; takes a few times as long",
    )
    add(
        "--resume",
        action="store_true",
        help="do not grade again what an interrupted run of this command has graded",
    )
    add(
        "--identify",
        action="store_true",
        help="leave in the output the paths of files and names that tell whose images they are",
    )
    reading = assess.add_argument_group("reading")
    add = reading.add_argument
    add("--slice-axis", metavar="N", type=_axis, help="the file's axis of slices, from 0")
    add("--frame-axis", metavar="N", type=_axis, help="the file's axis of frames, from 0")
    add(
        "--spacing",
        metavar="MM[,MM[,MM]]",
        type=_spacing,
        help="size of pixels where the files give none or a wrong one: of all sides, or of rows "
        "and columns; three numbers: slices, rows and columns",
    )
    add = add_computing(assess).add_argument
    add(
        "--workers",
        metavar="N",
        type=positive_count,
        default=1,
        help="grade by so many processes, on this machine or a cluster; needs Ray (%(default)s)",
    )


def _axis(text: str) -> int:
    if text not in {"0", "1", "2", "3"}:
        raise argparse.ArgumentTypeError(f"an axis is 0, 1, 2 or 3, not {text!r}")
    return int(text)


def _spacing(text: str) -> Spacing:
    """mm between slices (None: as in the file), rows and columns."""
    try:
        numbers = [float(part) for part in re.split(r"[,x×\s]+", text.strip())]
    except ValueError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or not all(0 < number < math.inf for number in numbers):
        raise argparse.ArgumentTypeError(f"one to three sizes in mm are needed, not {text!r}")
    if len(numbers) == 3:
        return (numbers[0], numbers[1], numbers[2])
    return (None, numbers[0], numbers[-1])


def check_outputs(arguments: argparse.Namespace) -> None:
    """Raise UsageError for outputs that could not be written, before hours are spent grading."""
    outputs = [path for path in (arguments.csv, arguments.json, arguments.html) if path]
    if arguments.explain and not arguments.html:
        raise UsageError("--explain shows in the report, so it needs --html.")
    if arguments.resume and not outputs:
        raise UsageError("--resume goes on with an output, so it needs --csv, --json or --html.")
    if arguments.resume and arguments.workers > 1:
        raise UsageError("--resume and --workers do not go together; leave one out.")
    if arguments.sr:
        need_package("highdicom", "A DICOM report")
        if not Path(arguments.sr).is_dir():
            outputs = [*outputs, arguments.sr]
    check_files(outputs, inputs=arguments.paths)

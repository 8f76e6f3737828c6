"""``motionqa agreement``: how well a study's readers agree."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..command_output import CommandOutput


def add_agreement(commands) -> None:
    """Add the command to the parser's."""
    agreement = commands.add_parser(
        "agreement",
        help="compare the readers of a study",
        description="Compare the readers of a study with each other, with themselves where cases "
        "came back, and with the network: agreement, weighted κ, Gwet's AC2 and ICC(2,1), with "
        "bootstrap intervals over subjects. It shows every reader's scores: it is for whoever runs "
        "the study, not for who still reads in it.",
        epilog="exit status: 0 all was read; 1 something could not be, each named on stderr; "
        "2 bad usage",
    )
    add = agreement.add_argument
    add("study", metavar="DIR", help="the study's folder, with study.json in it")
    add(
        "--network",
        metavar="F",
        help="grades to compare with: what motionqa assess wrote by --json or --csv",
    )
    add("--html", metavar="F", help="write a report with the confusion matrices drawn")
    add("--json", metavar="F", help="write every number, for programs")
    add("--seed", metavar="N", type=int, default=0, help="of the bootstrap (%(default)s)")
    add(
        "--resamples",
        metavar="N",
        type=_resamples,
        default=1000,
        help="of the bootstrap; 0 for no intervals (%(default)s)",
    )


def run_agreement(arguments: argparse.Namespace, console: CommandOutput) -> int:
    """Compare, print and write; the exit status. Raises UsageError and ReadingError."""
    from ..output_files import check_files
    from . import agreement_report
    from .agreement import agreement
    from .network_grades import NetworkGrades
    from .study import Study
    from .study_scores import StudyScores

    outputs = [path for path in (arguments.html, arguments.json) if path]
    check_files(outputs, inputs=[arguments.network] if arguments.network else [])
    scores = StudyScores.for_coordinator(Study.open(arguments.study))
    network = None
    if arguments.network:
        network = NetworkGrades.read(arguments.network, scores.cases)
    report = agreement(scores, network=network, resamples=arguments.resamples, seed=arguments.seed)
    for line in agreement_report.lines(report):
        console.say(line)
    if report.comparisons:
        console.say(f"\n{agreement_report.foot(report)}")
    else:
        console.complain("No image was scored twice, so there is nothing to compare yet.")
    for remark in report.remarks:
        console.complain(remark)
    if arguments.html:
        agreement_report.write_html(report, arguments.html)
    if arguments.json:
        agreement_report.write_json(report, arguments.json)
    return 1 if report.remarks or not report.comparisons else 0


def _resamples(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a whole number from 0 on is needed, not {text!r}")
    return int(text)

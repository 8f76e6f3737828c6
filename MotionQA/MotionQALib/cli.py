"""The ``motionqa`` command.

Exit status: 0 all graded, 1 something could not be (said on stderr), 2 bad usage, 130 interrupted.
Whatever is heavy is imported once the command line is known to be sound.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from .arguments import check_outputs, parser
from .arrivals.command import run_listen, run_watch
from .batch import BatchOptions, GradedFile, ResumeFile, assess_many, distinct_names, named_apart
from .command_output import CommandOutput
from .error_text import first_line, sentence
from .output_files import UsageError
from .privacy import silence_parsers
from .reading.command import run_agreement
from .volumes import stem_of
from .whole_files import is_special

INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line; returns the exit status."""
    console = CommandOutput()
    silence_parsers()
    try:
        arguments = parser().parse_args(argv)
    except SystemExit as stop:  # after --help, --version or bad usage
        return int(stop.code or 0)
    try:
        with warnings.catch_warnings():
            if not sys.warnoptions:
                warnings.simplefilter("ignore")
            return COMMANDS[arguments.command](arguments, console)
    except UsageError as error:
        console.complain(f"motionqa {arguments.command}: {error}")
        return 2
    except KeyboardInterrupt:
        console.complain("Stopped.")
        return INTERRUPTED
    except ModuleNotFoundError as error:
        console.complain(
            f"The Python package {error.name} is missing; install it with pip install motionqa."
        )
        return 1
    except Exception as error:  # a bug, or a system that fails: a sentence helps more than a trace
        console.complain(_sentence(error))
        return 1


def _sentence(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return sentence(error)
    text = first_line(error)
    # The errors of MotionQA's own are sentences; of any other, its kind helps whoever is asked.
    return text if text.endswith(".") else f"It failed ({type(error).__name__}: {text})."


def _assess(arguments: argparse.Namespace, console: CommandOutput) -> int:
    check_outputs(arguments)
    paths, failures = _find(arguments.paths, console)
    checkpoint = _Checkpoint(arguments)
    batch_options = BatchOptions(
        arguments.slice_axis, arguments.frame_axis, bool(arguments.html), arguments.explain
    )
    results: list[GradedFile] = []
    stop: BaseException | None = None
    journal = None
    if paths:
        some = _start(arguments, paths, checkpoint, batch_options, console)
        journal = _journal(arguments, checkpoint.card, batch_options)
        names = distinct_names(paths)
        console.begin_table([names.get(path, stem_of(path)) for path in paths])
        try:
            for graded in some(journal):
                graded = named_apart(graded, names)
                results.append(graded)
                console.end_progress()
                if graded.assessment:
                    console.row(graded.assessment)
                else:
                    console.complain(str(graded.error))
        except (KeyboardInterrupt, Exception) as error:  # what is graded is still written
            stop = error
        console.end_progress()
    failures += [(str(g.path), g.error) for g in results if g.error]
    graded = [g for g in results if g.assessment]
    if graded:
        console.notice(graded[0].assessment.notice)
    if results or stop is None:  # what an earlier run wrote is worth more than nothing
        _write(arguments, graded, failures, checkpoint.card)
    if stop is not None:
        return _stopped(stop, f"{len(results)} of {len(paths)} files were done", journal, console)
    if journal and not arguments.resume:
        journal.remove()
    return 1 if failures else 0


def _stopped(
    stop: BaseException, done: str, journal: ResumeFile | None, console: CommandOutput
) -> int:
    """Say why it ended early and how to go on; the exit status."""
    interrupted = isinstance(stop, KeyboardInterrupt)
    console.complain("Stopped." if interrupted else _sentence(stop))
    onward = "; the same command with --resume goes on from there" if journal else ""
    console.complain(f"{done}{onward}.")
    return INTERRUPTED if interrupted else 1


def _find(given: Sequence[str], console: CommandOutput) -> tuple[list[Path], list[tuple[str, str]]]:
    """Files to grade, and those that are none, which are named at once."""
    from . import volumes

    paths: dict[Path, None] = {}
    failures = []
    for path in given:
        try:
            paths.update(dict.fromkeys(volumes.find(path)))
        except volumes.VolumeError as error:
            console.complain(str(error))
            failures.append((path, str(error)))
    return list(paths), failures


class _Checkpoint:
    """The checkpoint asked for: its card, read first, and its Assessor, loaded when needed."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        from . import checkpoints

        self.path = checkpoints.resolve(arguments.checkpoint)
        self.card = checkpoints.read_card(self.path)
        self.options = {
            "device": arguments.device,
            "precision": arguments.precision,
            "batch_size": arguments.batch_size,
        }

    def load(self):
        from .assessment import Assessor

        return Assessor(self.path, **self.options)


def _journal(arguments, card, batch_options) -> ResumeFile | None:
    """What is graded is kept beside the first output, lest hours be lost."""
    output = arguments.csv or arguments.json or arguments.html
    if output is None or is_special(Path(output)):
        return None
    return ResumeFile(ResumeFile.beside(output), card, batch_options, resume=arguments.resume)


def _start(
    arguments, paths, checkpoint, batch_options, console
) -> Callable[[ResumeFile | None], Iterator[GradedFile]]:
    """Load the checkpoint; what is returned grades."""
    if arguments.workers > 1:
        from .cluster import assess_on_cluster

        return lambda _journal: assess_on_cluster(
            paths,
            checkpoint.path,
            workers=arguments.workers,
            batch_options=batch_options,
            **checkpoint.options,
        )
    assessor = checkpoint.load()
    console.say_to_person(f"{assessor.card.title}. {assessor.device_reason}")
    return lambda journal: assess_many(
        paths,
        assessor,
        batch_options=batch_options,
        journal=journal,
        progress=console.progress_of(paths),
    )


def _write(arguments, graded: Sequence[GradedFile], failures, card) -> None:
    from . import reports

    assessments = [g.assessment for g in graded]
    if arguments.csv:
        reports.write_csv(assessments, arguments.csv)
    if arguments.json:
        reports.write_json(assessments, arguments.json, card=card, failures=failures)
    if arguments.html:
        reports.write_html(
            assessments,
            arguments.html,
            pictures=[g.pictures for g in graded],
            card=card,
            failures=failures,
        )


def _checkpoints(arguments: argparse.Namespace, console: CommandOutput) -> int:
    from . import checkpoints

    entries = checkpoints.catalogue()
    for entry in entries:
        card, seen = entry.card, entry.card.network_input
        console.say(
            f"{entry.name}: {card.title}\n"
            f"    {card.backbone}, {seen.size} pixels of {seen.spacing:g} mm, trained on "
            f"{card.motion} motion\n"
            f"    {card.notice}\n"
            f"    {entry.path} ({entry.path.stat().st_size / 1e6:.1f} MB)"
        )
    if not entries:
        console.say("No checkpoint is installed.")
    console.say(f"Your own checkpoints are looked for in {checkpoints.user_folder()}.")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace, CommandOutput], int]] = {
    "assess": _assess,
    "checkpoints": _checkpoints,
    "agreement": run_agreement,
    "watch": run_watch,
    "listen": run_listen,
}


if __name__ == "__main__":
    sys.exit(main())

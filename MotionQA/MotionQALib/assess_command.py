"""``motionqa assess``: many files in, tables and reports out.

What was graded waits on disk until it is written, so that memory does not grow with the study.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from . import volumes
from .arguments import check_outputs
from .batch import BatchOptions, GradedFile, ResumeFile, assess_many, distinct_names, named_apart
from .command_output import CommandOutput
from .error_text import first_line, sentence
from .output_lock import OutputLock
from .private_names import PrivateNames
from .results import Failure
from .spooled_results import SpooledAssessments, SpooledPictures
from .volumes import VolumeError, stem_of
from .whole_files import is_special

INTERRUPTED = 130

GPU_READERS = 4
"""Files read at the same time where a GPU computes: it is faster than one reader."""


def run_assess(arguments: argparse.Namespace, console: CommandOutput) -> int:
    """Grade, print and write; the exit status. Raises UsageError and sentences."""
    check_outputs(arguments)
    with ExitStack() as stack:
        stack.enter_context(OutputLock(_outputs(arguments)))
        return _Run(arguments, console, stack).run()


def in_words(error: BaseException) -> str:
    """A sentence about an error that ends a command."""
    if isinstance(error, OSError) and error.strerror:
        return sentence(error)
    text = first_line(error)
    # The errors of MotionQA's own are sentences; of any other, its kind helps whoever is asked.
    return text if text.endswith(".") else f"It failed ({type(error).__name__}: {text})."


class _Run:
    """One run of the command."""

    def __init__(
        self, arguments: argparse.Namespace, console: CommandOutput, stack: ExitStack
    ) -> None:
        self._arguments, self._console = arguments, console
        self._private = PrivateNames(arguments.identify)
        self._failures: list[Failure] = []
        self._done = 0
        self._notice: str | None = None
        self._masks: dict[Path, None] = {}
        self._graded = 0
        folder = _spool_folder(arguments)
        self._assessments = SpooledAssessments(folder)
        self._pictures = SpooledPictures(folder)
        stack.callback(self._assessments.close)
        stack.callback(self._pictures.close)

    def run(self) -> int:
        arguments, console = self._arguments, self._console
        paths = self._find()
        checkpoint = _Checkpoint(arguments)
        options = BatchOptions(
            slice_axis=arguments.slice_axis,
            frame_axis=arguments.frame_axis,
            spacing=arguments.spacing,
            pictures=bool(arguments.html),
            relevance=arguments.explain,
        )
        self._report = _report_writer(arguments, paths, checkpoint.card)
        stop: BaseException | None = None
        resume_file = None
        if paths:
            some = _start(arguments, paths, checkpoint, options, console)
            resume_file = _resume_file(arguments, checkpoint.card, options)
            names = distinct_names(paths)
            console.begin_table([names.get(path, stem_of(path)) for path in paths])
            try:
                for graded in some(resume_file):
                    self._take(named_apart(graded, names))
            except (KeyboardInterrupt, Exception) as error:  # what is graded is still written
                stop = error
            console.end_progress()
        self._tell_masks()
        if self._notice:
            console.notice(self._notice)
        if self._done or stop is None:  # what an earlier run wrote is worth more than nothing
            self._write(checkpoint.card)
        if stop is not None:
            return self._stopped(stop, len(paths), resume_file)
        if resume_file and not arguments.resume:
            resume_file.remove()
        nothing = bool(self._masks) and not self._graded
        return 1 if self._failures or nothing else 0

    def _find(self) -> list[Path]:
        """Files to grade; those that are none are named at once."""
        paths: dict[Path, None] = {}
        for path in self._arguments.paths:
            try:
                found = volumes.find_all(path)
                paths.update(dict.fromkeys(found.images))
                self._masks.update(dict.fromkeys(found.masks))
            except volumes.VolumeError as error:
                self._fail(path, str(error))
        return list(paths)

    def _tell_masks(self) -> None:
        """In one line, those known by their names and those known by their content."""
        masks = self._masks
        if masks:
            some = "segmentation is" if len(masks) == 1 else "segmentations are"
            example = self._private.source(next(iter(masks)))
            self._console.complain(f"{len(masks)} {some} left out, such as {example}.")

    def _fail(self, path: str | Path, reason: str) -> None:
        self._console.complain(reason)
        self._failures.append((self._private.source(path), reason))

    def _take(self, graded: GradedFile) -> None:
        self._done += 1
        named = self._private(graded)
        self._console.end_progress()
        assessment = named.assessment
        if graded.mask and str(graded.path) not in map(str, self._arguments.paths):
            self._masks[graded.path] = None
            return
        if assessment is None:
            self._fail(graded.path, str(named.error))
            return
        self._notice = self._notice or assessment.notice
        self._graded += 1
        self._console.row(assessment)
        if _outputs(self._arguments):
            self._assessments.append(assessment)
        if self._arguments.html:
            self._pictures.append(named.pictures)
        if self._report is not None:
            self._write_report(named)

    def _write_report(self, graded: GradedFile) -> None:
        from .structured_report.motion_report import ReportError

        try:
            self._report(graded)
        except (ReportError, VolumeError) as error:
            self._fail(graded.path, str(error))

    def _write(self, card) -> None:
        from . import reports

        arguments, assessments = self._arguments, self._assessments
        if arguments.csv:
            reports.write_csv(assessments, arguments.csv)
        if arguments.json:
            reports.write_json(assessments, arguments.json, card=card, failures=self._failures)
        if arguments.html:
            reports.write_html(
                assessments,
                arguments.html,
                pictures=self._pictures,
                card=card,
                failures=self._failures,
            )

    def _stopped(self, stop: BaseException, total: int, resume_file: ResumeFile | None) -> int:
        """Say why it ended early and how to go on; the exit status."""
        interrupted = isinstance(stop, KeyboardInterrupt)
        self._console.complain("Stopped." if interrupted else in_words(stop))
        onward = "; the same command with --resume goes on from there" if resume_file else ""
        self._console.complain(f"{self._done} of {total} files were done{onward}.")
        return INTERRUPTED if interrupted else 1


def _outputs(arguments: argparse.Namespace) -> list[str]:
    return [path for path in (arguments.csv, arguments.json, arguments.html) if path]


def _spool_folder(arguments: argparse.Namespace) -> Path | None:
    """Beside the first output: the system's folder for temporary files may be in memory."""
    for output in _outputs(arguments):
        if not is_special(Path(output)):
            return Path(output).resolve().parent
    return None


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


def _resume_file(arguments, card, options) -> ResumeFile | None:
    """What is graded is kept beside the first output, lest hours be lost."""
    outputs = _outputs(arguments)
    if not outputs or is_special(Path(outputs[0])):
        return None
    return ResumeFile(
        ResumeFile.beside(outputs[0]),
        card,
        options,
        resume=arguments.resume,
        identify=arguments.identify,
    )


def _start(
    arguments, paths, checkpoint, options, console
) -> Callable[[ResumeFile | None], Iterator[GradedFile]]:
    """Load the checkpoint; what is returned grades."""
    if arguments.workers > 1:
        from .cluster import assess_on_cluster

        return lambda _resume_file: assess_on_cluster(
            paths,
            checkpoint.path,
            workers=arguments.workers,
            batch_options=options,
            **checkpoint.options,
        )
    assessor = checkpoint.load()
    console.say_to_person(f"{assessor.card.title}. {assessor.device_reason}")
    return lambda resume_file: assess_many(
        paths,
        assessor,
        batch_options=options,
        journal=resume_file,
        progress=console.progress_of(paths),
        readers=1 if assessor.device.type == "cpu" else GPU_READERS,
    )


def _report_writer(arguments, paths: Sequence[Path], card) -> Callable | None:
    """What writes the DICOM report of a file and its assessment; None where none is asked for."""
    if not arguments.sr:
        return None
    from .structured_report.series_report import write_series_report

    target = Path(arguments.sr)
    one = len(paths) == 1 and not target.is_dir()
    if not one:
        target.mkdir(exist_ok=True)

    def write(graded: GradedFile) -> None:
        assessment, path = graded.assessment, graded.path
        file = target if one else target / f"{_digest(assessment.identity or str(path))}.dcm"
        origin = graded.origin or volumes.read(path).origin  # an earlier run read it
        write_series_report(file, origin, assessment, card)

    return write


def _digest(text: str) -> str:
    import hashlib

    return hashlib.blake2b(text.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()

"""Many files: the next is read while one is graded, and what was graded is kept on the way."""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import volumes
from .error_text import reason
from .file_stamps import stamps
from .pending_read import PendingRead
from .privacy import without, words_of
from .results import Assessment

if TYPE_CHECKING:
    from .assessment import Assessor
    from .checkpoints import Card
    from .formats.dicom_origin import Origin
    from .slice_pictures import SlicePicture
    from .volumes import Volume


Spacing = tuple[float | None, float | None, float | None]
"""mm between slices, rows and columns; None leaves it to the file."""


@dataclass(frozen=True)
class BatchOptions:
    """How files are to be read, and what is wanted besides the grades.

    Parameters
    ----------
    slice_axis, frame_axis, spacing : as in `volumes.read`
    pictures : draw the slices
    relevance : over the pictures, show where the network saw motion
    """

    slice_axis: int | None = None
    frame_axis: int | None = None
    spacing: Spacing | None = None
    pictures: bool = False
    relevance: bool = False


@dataclass(frozen=True)
class GradedFile:
    """One file's assessment, or the sentence that says why there is none."""

    path: Path
    assessment: Assessment | None = None
    error: str | None = None
    pictures: tuple[SlicePicture, ...] = ()
    origin: Origin | None = None  # of DICOM, where it was read in this run
    mask: bool = False  # it is a segmentation, as its content tells


class MaskSentence(str):
    """That a file is a segmentation by its content."""


def assess_many(
    paths: Sequence[str | Path],
    assessor: Assessor,
    *,
    batch_options: BatchOptions | None = None,
    journal: ResumeFile | None = None,
    progress: Callable[[Path, int, int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
    readers: int = 1,
) -> Iterator[GradedFile]:
    """Grade files in order, one at a time; at most ``readers`` more are in memory.

    Parameters
    ----------
    paths : what `volumes.find` returns
    journal : files that it holds are not graded again, and those graded are added to it
    progress : called as ``progress(path, done, total)``, in slices, after each batch
    cancelled : asked between batches whether to stop; then `assessment.Cancelled` is raised
    readers : files that are read in advance at the same time
    """
    batch_options = batch_options or BatchOptions()
    paths = [Path(path) for path in paths]
    lines = {path: journal.find(path) for path in paths} if journal else {}
    known = {path: line for path, line in lines.items() if line is not None}
    # A file graded before is read again only to be drawn.
    unread = iter([path for path in paths if batch_options.pictures or path not in known])
    upcoming: deque[PendingRead[Volume | str]] = deque()

    def read_on() -> None:
        while len(upcoming) < readers and (path := next(unread, None)) is not None:
            upcoming.append(PendingRead(read, path, batch_options))

    read_on()
    for path in paths:
        before = journal.at(known[path], path) if path in known else None
        if before and not batch_options.pictures:
            yield GradedFile(path, before)
            continue
        volume = upcoming.popleft().result()
        read_on()
        graded = grade(
            path,
            volume,
            assessor,
            batch_options,
            before,
            progress=None if progress is None else _named(progress, path),
            cancelled=cancelled,
        )
        del volume
        if journal and graded.assessment and before is None:
            journal.add(path, graded.assessment)
        yield graded


def distinct_names(paths: Sequence[Path]) -> dict[Path, str]:
    """Names for the files that share theirs with another: with as many folders as tell them apart.

    ``a/ED.nii.gz`` and ``b/ED.nii.gz`` become ``a/ED`` and ``b/ED``; other files are left out.
    """
    groups: dict[str, set[Path]] = {}
    for path in paths:
        groups.setdefault(volumes.stem_of(path), set()).add(path)
    names: dict[Path, str] = {}
    for stem, clashing in groups.items():
        if len(clashing) > 1:
            names |= next(
                found
                for depth in range(1 + max(len(path.parts) for path in clashing))
                for last in (stem, None)  # the suffix only where the folders do not tell
                if len(set((found := _with_folders(clashing, depth, last)).values()))
                == len(clashing)
            )
    return names


def _with_folders(paths: set[Path], depth: int, last: str | None) -> dict[Path, str]:
    return {
        path: "/".join([*path.parts[:-1][-depth or len(path.parts) :], last or path.name])
        for path in paths
    }


def named_apart(graded: GradedFile, names: dict[Path, str]) -> GradedFile:
    """The same under the name that `distinct_names` gives its file, if it gives one."""
    name = names.get(graded.path)
    if name is None:
        return graded
    if graded.assessment:
        return replace(graded, assessment=replace(graded.assessment, volume=name))
    return replace(graded, error=f"{name.rpartition('/')[0]}/{graded.error}".lstrip("/"))


def read(path: Path, batch_options: BatchOptions) -> Volume | str:
    """Read a file: its volume, or the sentence that says why it cannot be read."""
    try:
        return volumes.read(
            path,
            slice_axis=batch_options.slice_axis,
            frame_axis=batch_options.frame_axis,
            spacing=batch_options.spacing,
        )
    except volumes.MaskError as error:
        return MaskSentence(error)
    except volumes.VolumeError as error:
        return str(error)


def grade(
    path: Path,
    volume: Volume | str,
    assessor: Assessor,
    batch_options: BatchOptions,
    known: Assessment | None = None,
    **options: Any,
) -> GradedFile:
    """Grade, unless the assessment is ``known``, and draw what `read` gave of a file.

    ``options`` are those of `Assessor.assess`.
    """
    from .assessment import AssessmentError, Cancelled

    if isinstance(volume, str):
        return GradedFile(path, error=str(volume), mask=isinstance(volume, MaskSentence))
    try:
        assessment = known or assessor.assess(volume, **options)
        pictures = (
            _pictures(volume, assessment, assessor, batch_options) if batch_options.pictures else ()
        )
    except Cancelled:
        raise
    except AssessmentError as error:
        return GradedFile(path, error=str(error))
    except Exception as error:  # one file must not end the others' grading
        return GradedFile(path, error=f"{volume.name} cannot be graded ({reason(error)}).")
    return GradedFile(path, assessment, pictures=pictures, origin=volume.origin)


def _pictures(volume, assessment, assessor, batch_options) -> tuple[SlicePicture, ...]:
    from .slice_pictures import draw, positions_to_show

    positions = positions_to_show(assessment)
    relevance = None
    if batch_options.relevance:
        from .explanation import relevance_of

        relevance = relevance_of(assessor, volume, positions)
    return draw(volume, positions, relevance)


def _named(progress: Callable[[Path, int, int], None], path: Path) -> Callable[[int, int], None]:
    return lambda done, total: progress(path, done, total)


class ResumeFile:
    """Assessments on disk, a line each, so that a batch that was stopped can go on.

    A file counts as graded only if it has not changed since, and was graded by the same
    checkpoint and read in the same way.

    Parameters
    ----------
    path : of the journal, JSON Lines
    card : of the checkpoint that grades
    resume : go on with what the journal holds; otherwise start it anew
    identify : keep names of volumes that tell whose they are
    """

    def __init__(
        self,
        path: str | Path,
        card: Card,
        batch_options: BatchOptions | None = None,
        *,
        resume: bool,
        identify: bool = False,
    ) -> None:
        self.path = Path(path)
        batch_options = batch_options or BatchOptions()
        settings = f"{card.to_json()}{batch_options.slice_axis}{batch_options.frame_axis}"
        settings += "" if batch_options.spacing is None else str(batch_options.spacing)
        self._settings = hashlib.blake2b(settings.encode(), digest_size=8).hexdigest()
        self._identify = identify
        self._lines: dict[str, int] = {}  # where each one's line begins, in bytes
        if resume:
            self._load()
        else:
            self.path.write_text("", encoding="utf-8")

    @staticmethod
    def beside(output: str | Path) -> Path:
        """Where the journal of a run with this output lies."""
        return Path(output).with_name(f"{Path(output).name}.progress.jsonl")

    def get(self, path: Path) -> Assessment | None:
        """What is known of a file as it is now."""
        line = self.find(path)
        return None if line is None else self.at(line, path)

    def find(self, path: Path) -> int | None:
        """Where what is known of a file as it is now begins, for `at`; None for nothing."""
        return self._lines.get(self._key(path)) if self._lines else None

    def at(self, line: int, path: Path) -> Assessment:
        """The assessment that begins there, of this file."""
        with self.path.open("rb") as file:
            file.seek(line)
            values = json.loads(file.readline())["assessment"]
        return replace(Assessment.from_dict(values), source=str(path))

    def add(self, path: Path, assessment: Assessment) -> None:
        """Keep an assessment; it is on disk when this returns."""
        values = {**assessment.to_dict(), "source": None}  # places tell whose images they are
        if not self._identify:
            values["volume"] = without(assessment.volume, words_of(path)) or "series"
        line = json.dumps({"key": self._key(path), "assessment": values})
        with self.path.open("ab") as file:
            file.write(f"{line}\n".encode())
            file.flush()
            os.fsync(file.fileno())

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def _load(self) -> None:
        place, line = 0, b"\n"
        try:
            with self.path.open("rb") as file:
                for line in file:
                    if (key := _key_of(line)) is not None:
                        self._lines[key] = place
                    place += len(line)
        except FileNotFoundError:
            return
        if not line.endswith(b"\n"):  # cut short when the run was killed
            with self.path.open("ab") as file:
                file.write(b"\n")

    def _key(self, path: Path) -> str:
        return f"{self._settings} {fingerprint(path)}"


def _key_of(line: bytes) -> str | None:
    """The key of a line that can be read whole; a line that was cut short is graded again."""
    try:
        entry = json.loads(line)
        Assessment.from_dict(entry["assessment"])
        return entry["key"]
    except (ValueError, TypeError, KeyError):
        return None


def fingerprint(path: Path) -> str:
    """Key of a file's place and state; of all the files, where an image is more than one."""
    state = json.dumps([stamps(path), os.path.realpath(path)])
    return hashlib.blake2b(state.encode(), digest_size=16).hexdigest()

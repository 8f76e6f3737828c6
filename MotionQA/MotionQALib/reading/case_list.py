"""The cases of a study, in the order in which they were added.

    cases = CaseList(study)
    for added in cases.add(listed(folder)):      # one file a step, as from a timer
        added.case or added.problem              # one of the two
    cases.cases                                  # tuple of Case
    cases.file_of(case)                          # where it is now; None if it is missing
    cases.is_replaced(case)                      # whether another image lies there now
    cases.replaced                               # keys of cases in whose place another was added

A file that was moved is added again and found to be the same case, which keeps its scores. Files
that have not changed are not read again. Every line is on disk when `add` yields it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ..volumes import Volume
from .blinding import Remark, of_logs
from .cases import Case, Listed, case_of, read_case, stamp_of
from .durable_lines import DurableLines, read_lines
from .reading_errors import MaskFound, ReadingError
from .study import Study


@dataclass(frozen=True)
class Added:
    """What became of one file: its case, or the sentence that says why there is none.

    A segmentation, by its name or its content, is neither: it is left out and counted.
    """

    path: Path | None
    case: Case | None = None
    problem: str | None = None
    new: bool = False
    mask: bool = False


class CaseList:
    """The cases; see the top of this file. ``reports`` are sentences about damage found.

    Raises ReadingError if the list cannot be read.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        self.reports: tuple[Remark, ...] = ()
        self.replaced: frozenset[str] = frozenset()
        self._cases: dict[str, Case] = {}
        self._holders: dict[str | None, str] = {}
        self._looked_at: dict[tuple[str, tuple], bool] = {}  # (key, stamp): whether it is the case
        self.reload()

    @property
    def cases(self) -> tuple[Case, ...]:
        return tuple(self._cases.values())

    def __len__(self) -> int:
        return len(self._cases)

    def get(self, key: str) -> Case | None:
        return self._cases.get(key)

    def file_of(self, case: Case) -> Path | None:
        """The case's file or DICOM folder; None where it has none or it is not there now."""
        if case.path is None:
            return None
        path = self.study.absolute(case.path)
        return path if path.exists() else None

    def is_replaced(self, case: Case) -> bool:
        """Whether the file that is there is not the case's image any more.

        To be asked before it is shown, so that no score is given to another image's case. Only a
        file that was touched since is looked into.
        """
        path = self.file_of(case)
        if path is None:
            return False
        try:
            stamp = stamp_of(path)
            if stamp == case.stamp:
                return False
            place = case.key, stamp
            if place not in self._looked_at:
                image = read_case(path, salt=self.study.salt)
                self._looked_at[place] = self._own_key(image) == case.key
        except (ReadingError, OSError):
            return True
        return not self._looked_at[place]

    def reload(self) -> None:
        """Read what other sessions added."""
        lines = read_lines(self.study.cases_file)
        reports, cases, holders = list(lines.damaged), {}, {}
        for number, record in lines.records:
            try:
                case = Case.from_record(record)
            except ValueError as error:
                text = f"Line {number} of {self.study.cases_file} is left out: {error}."
                reports.append(of_logs(text))
            else:
                cases[case.key] = case  # a case that moved keeps its place in the order
                holders[case.path] = case.key  # who was added last lies there
        self._cases, self.reports, self._holders = cases, tuple(reports), holders
        self._note_replaced()

    def left_out(self) -> set[str]:
        """Keys of cases whose image has been replaced by another: their scores are of no file."""
        return {c.key for c in self.cases if c.key in self.replaced or self.is_replaced(c)}

    def _note_replaced(self) -> None:
        self.replaced = frozenset(
            case.key
            for case in self._cases.values()
            if case.path is not None and self._holders.get(case.path) != case.key
        )

    def _own_key(self, image: Case) -> str:
        """The key of the case that an image is: edited DICOM files keep their series' UID."""
        for key in (image.key, f"{image.key}:{(image.content or '')[-12:]}"):
            case = self._cases.get(key)
            if case is None or None in (case.content, image.content):
                return key
            if case.content == image.content:
                return key
        return key

    def add(self, files: Iterable[Listed | Path]) -> Iterator[Added]:
        """Add files one by one, as a batch; those that are here already are only noted as moved.

        Raises InUse while another session adds cases, NotSaved if the list cannot be written.
        """
        with self._writing() as lines:
            batch, seen = self._next_batch(), {}
            known = {(case.path, case.stamp): case for case in self._cases.values()}
            for file in files:
                file = file if isinstance(file, Listed) else Listed(Path(file))
                path, subject, mask = file
                if mask:
                    yield Added(path, mask=True)
                    continue
                try:
                    case = self._look_at(path, subject, known)
                except MaskFound:
                    yield Added(path, mask=True)
                    continue
                except (ReadingError, OSError) as error:
                    yield Added(path, problem=_sentence(path, error))
                    continue
                if case.key in seen:
                    yield Added(
                        path,
                        problem=f"{path.name} is the same image as {seen[case.key].name}, "
                        "and is read once.",
                    )
                    continue
                seen[case.key] = path
                yield self._keep(lines, path, case, batch)

    def add_volumes(self, given: Iterable[Volume]) -> list[Added]:
        """Add volumes in memory that have no file, such as those in Slicer's scene."""
        with self._writing() as lines:
            batch = self._next_batch()
            return [self._keep(lines, None, case_of(volume), batch) for volume in given]

    def _writing(self) -> DurableLines:
        path = self.study.cases_file
        lines = DurableLines.create(path, f"The cases of {self.study.folder.name}")
        self.reload()
        return lines

    def _next_batch(self) -> int:
        return 1 + max((case.batch for case in self._cases.values()), default=-1)

    def _look_at(self, path: Path, subject: str | None, known: dict[tuple, Case]) -> Case:
        """The case that a file is; one that has not changed is not read again."""
        place = self.study.relative(path), stamp_of(path)
        case = known.get(place)
        if case is None:
            case = read_case(path, salt=self.study.salt, subject=subject)
            return replace(case, key=self._own_key(case), path=place[0], stamp=place[1])
        return case if subject is None else replace(case, subject=subject)

    def _keep(self, lines: DurableLines, path: Path | None, case: Case, batch: int) -> Added:
        before = self._cases.get(case.key)
        if before is not None:
            batch = before.batch
            if case.path is None:  # in memory now: where its file lies is still worth knowing
                case = before
            elif before.subject != case.subject and case.subject == case.name:
                case = replace(case, subject=before.subject)
        case = replace(case, batch=batch)
        if case != before or case.key in self.replaced:
            lines.append(case.to_record())
            self._cases[case.key] = case
            if case.path is not None:
                self._holders[case.path] = case.key
                self._note_replaced()
        return Added(path, case, new=before is None)


def _sentence(path: Path, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{path} cannot be read ({error.strerror or error})."
    return str(error)

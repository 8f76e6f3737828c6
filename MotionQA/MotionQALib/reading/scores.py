"""A reader's scores: a log that never loses one.

    with ScoreLog.open(study, "anna") as log:
        for sentence in log.reports: ...          # damage found, to be shown
        log.save(item.key, score=4, seconds=8.2)     # on disk when it returns, else NotSaved
        log.entries[item.key].score               # what stands now
        log.undo()                                # the item whose score was taken back, or None
        log.beat()                                # once a minute, from a timer

    scores = read_scores(path)                    # from any other process, at any time

A failed `save` raises NotSaved, which is to be shown at once; `error.entry` is what was not saved,
and `rescue` writes it to another folder, whence `import_rescued` fetches it later.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path

from .blinding import Remark, of_logs
from .durable_lines import DurableLines, read_lines
from .reading_errors import NotSaved, StudyError
from .score_entry import ItemKey, ScoreEntry
from .study import Study

CONSENSUS = "consensus"
NETWORK = "network"
RESCUED = ".rescued"
_LONGEST = 200
"""Bytes of a log's name: files beside it have longer ones, and 255 is the most."""

_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    "conin",
    "conout",
    "clock",
    *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10)),
}


@dataclass
class Scores:
    """What a log says: of each item the last entry, scored ones only; and what was damaged.

    Parameters
    ----------
    log : the file's name without suffix
    said : all that the log says, in its order
    latest : of each item, which of these was the last
    """

    reader: str
    entries: dict[ItemKey, ScoreEntry] = field(default_factory=dict)
    damaged: tuple[Remark, ...] = ()
    log: str = ""
    said: list[ScoreEntry] = field(default_factory=list)
    latest: dict[ItemKey, int] = field(default_factory=dict)
    _steps: list[tuple[ItemKey, ScoreEntry | None]] = field(default_factory=list, repr=False)

    def add(self, entry: ScoreEntry) -> None:
        """Let an entry take effect: the last one of an item wins."""
        if entry.undo:
            if self._steps:
                self._steps.pop()
        else:
            self._steps.append((entry.key, self.entries.get(entry.key)))
        self.latest[entry.key] = len(self.said)
        self.said.append(entry)
        if entry.scored:
            self.entries[entry.key] = entry
        else:
            self.entries.pop(entry.key, None)

    def before_last(self) -> tuple[ItemKey, ScoreEntry | None] | None:
        """The item scored last and what stood there before; None if all was undone."""
        return self._steps[-1] if self._steps else None


def read_scores(path: str | Path, *, owner: str | None = None) -> Scores:
    """Read a log, which may be written to meanwhile. Raises ReadingError if it cannot be read.

    Others' scores are behind a door: see `StudyScores`.

    Parameters
    ----------
    owner : whose log it is, as it is spelt in the file's name: lines of anybody else, as in a copy
        of another log, are left out with a remark
    """
    path = Path(path)
    lines = read_lines(path)
    scores, damaged = Scores(path.stem, log=path.stem), list(lines.damaged)
    others: dict[str, int] = {}
    for number, record in lines.records:
        try:
            entry = ScoreEntry.from_record(record)
        except (ValueError, TypeError, OverflowError) as error:
            reason = str(error).rstrip(".")
            damaged.append(of_logs(f"Line {number} of {path} is left out: {reason}."))
            continue
        if owner is not None and _stem(entry.reader) != _stem(owner):
            others[entry.reader] = others.get(entry.reader, 0) + 1
            continue
        if _stem(entry.reader) == _stem(path.stem):
            scores.reader = entry.reader
        scores.add(entry)
    damaged += [
        of_logs(
            f"{path} holds {count} lines of {reader}, whose log it is not: they are left out, as "
            "of a copy that a program made which synchronises folders."
        )
        for reader, count in others.items()
    ]
    scores.damaged = tuple(damaged)
    return scores


class ScoreLog:
    """One reader's log, open for writing; see the top of this file.

    ``reports`` are sentences about damage that was found.
    """

    def __init__(self, path: Path, reader: str) -> None:
        self.reader = reader
        self.path = path
        self._lines = DurableLines.create(path, f"The scores of {reader}")
        try:
            self._scores = read_scores(path, owner=path.stem)
        except BaseException:
            self._lines.close()
            raise
        said = [*self._lines.reports, *self._scores.damaged]
        self.reports: list[Remark] = [of_logs(text) for text in dict.fromkeys(said)]
        if self.entries and self._scores.reader != reader:
            # "Ann Lee" and "ann-lee" have one file: they may be two people.
            text = (
                f"These are the scores of {self._scores.reader}: {len(self.entries)} so far. "
                f"{reader!r} stands for the same name; if you are somebody else, close the study "
                "and open it under another name."
            )
            self.reports.append(of_logs(text))

    @classmethod
    def open(cls, study: Study, reader: str) -> ScoreLog:
        """Open a reader's log, new or not.

        Raises ReadingError for a name that makes no file, InUse if another session has it open,
        NotSaved if nothing could be saved there.
        """
        return cls(study.scores_folder / f"{file_name(reader)}.jsonl", reader)

    @property
    def entries(self) -> dict[ItemKey, ScoreEntry]:
        """What stands: the last entry of each item that is scored."""
        return self._scores.entries

    @property
    def latest(self) -> dict[ItemKey, int]:
        """Of each item, which of the log's entries was the last: the order of their giving."""
        return self._scores.latest

    def __len__(self) -> int:
        """How many entries the log has."""
        return len(self._scores.said)

    def save(self, key: ItemKey, score: int | None = None, **details) -> ScoreEntry:
        """Put a score on disk. Raises NotSaved, whose ``entry`` then holds it.

        Parameters
        ----------
        details : further fields of `ScoreEntry`: grade (where there is no score), confidence,
            artefacts, comment, seconds
        """
        entry = ScoreEntry(ItemKey(*key), self.reader, score, **details)
        if not entry.scored:
            raise ValueError("Give a score or a grade.")
        return self.add(entry)

    def undo(self) -> ItemKey | None:
        """Take the last score back, and then the one before: its item, or None at the start."""
        step = self._scores.before_last()
        if step is None:
            return None
        key, before = step
        self.add((before or ScoreEntry(key, self.reader)).again(reader=self.reader))
        return key

    def add(self, entry: ScoreEntry) -> ScoreEntry:
        """Put an entry on disk as it is."""
        entry = replace(entry, after=None)  # the log has its own order
        try:
            self._lines.append(entry.to_record())
        except NotSaved as error:
            error.entry = entry
            raise
        self._scores.add(entry)
        return entry

    def beat(self) -> None:
        """Tell other machines that this session lives; NotSaved if it was taken over."""
        self._lines.beat()

    def close(self) -> None:
        self._lines.close()

    def __enter__(self) -> ScoreLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def file_name(reader: str) -> str:
    """The name of a reader's log, without suffix; the same for "Anna" and "anna"."""
    name, file = reader.strip(), _stem(reader)
    good = bool(file) and all(map(_makes_names, file)) and not file.startswith(".")
    # Folded, a letter may become three.
    if not good or len(file.encode()) > _LONGEST or len(name.encode()) > 100:
        raise StudyError(
            f"{_short(reader)} cannot be a reader's name; use up to 100 letters, digits, spaces, "
            "- and _."
        )
    # Windows takes COM¹ and ＣＯＮ for devices, too, and does not see what follows a full stop.
    device = unicodedata.normalize("NFKC", file.split(".")[0]).casefold().strip(" -.")
    if device in {*_DEVICES, NETWORK} or file.endswith((CONSENSUS, RESCUED)):
        raise StudyError(f"{reader!r} is a reserved name; choose another.")
    return file


def _makes_names(letter: str) -> bool:
    # Marks stand beside their letters in Hindi, Thai or a folded İ.
    return letter.isalnum() or letter in " -_." or unicodedata.category(letter)[0] == "M"


def _stem(reader: str) -> str:
    name = unicodedata.normalize("NFC", reader.strip()).casefold()
    return unicodedata.normalize("NFC", name).replace(" ", "-").rstrip(".")


def _short(name: str) -> str:
    return repr(name if len(name) <= 40 else f"{name[:40]}…")


def rescue(entry: ScoreEntry, folder: str | Path) -> Path:
    """Write an entry that could not be saved to another folder; the log that now holds it."""
    path = Path(folder) / f"{file_name(entry.reader)}{RESCUED}.jsonl"
    with DurableLines.create(path, f"The scores of {entry.reader}") as lines:
        lines.append(entry.to_record())
    return path


def import_rescued(log: ScoreLog, rescued: str | Path) -> list[ItemKey]:
    """Bring rescued entries into the log, where nothing newer stands; the items concerned.

    What is newer is told by the log's order, since a clock may have been set back.

    Raises ReadingError, and takes nothing, if a line is damaged or another reader's.
    """
    scores = read_scores(rescued)
    if scores.damaged:
        raise StudyError(scores.damaged[0])
    for entry in scores.entries.values():
        if _stem(entry.reader) != _stem(log.reader):
            raise StudyError(
                f"{rescued} holds scores of {entry.reader}, not of {log.reader}; nothing was "
                "taken. Open the study under that name first."
            )
    taken = [entry for entry in scores.entries.values() if _is_newer(entry, log)]
    return [log.add(entry).key for entry in taken]


def _is_newer(entry: ScoreEntry, log: ScoreLog) -> bool:
    """Whether an entry was given after what a log says of its item."""
    if entry.key not in log.latest:
        return True
    if entry.after is not None:
        return log.latest[entry.key] < entry.after
    standing = log.entries.get(entry.key)  # rescued by an older version: only its time is known
    return standing is None or standing.time < entry.time

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
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from .durable_lines import DurableLines, read_lines
from .errors import NotSaved, ReadingError
from .score_entry import ItemKey, ScoreEntry
from .study import Study

CONSENSUS = "consensus"
NETWORK = "network"
RESCUED = ".rescued"
_DEVICES = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in range(1, 10))}


@dataclass
class Scores:
    """What a log says: of each item the last entry, scored ones only; and what was damaged."""

    reader: str
    entries: dict[ItemKey, ScoreEntry] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    _steps: list[tuple[ItemKey, ScoreEntry | None]] = field(default_factory=list, repr=False)

    def add(self, entry: ScoreEntry) -> None:
        """Let an entry take effect: the last one of an item wins."""
        if entry.undo:
            if self._steps:
                self._steps.pop()
        else:
            self._steps.append((entry.key, self.entries.get(entry.key)))
        if entry.scored:
            self.entries[entry.key] = entry
        else:
            self.entries.pop(entry.key, None)

    def before_last(self) -> tuple[ItemKey, ScoreEntry | None] | None:
        """The item scored last and what stood there before; None if all was undone."""
        return self._steps[-1] if self._steps else None


def read_scores(path: str | Path) -> Scores:
    """Read a log, which may be written to meanwhile. Raises ReadingError if it cannot be read."""
    path = Path(path)
    lines = read_lines(path)
    scores, damaged = Scores(path.stem), list(lines.damaged)
    for number, record in lines.records:
        try:
            entry = ScoreEntry.from_record(record)
        except (ValueError, TypeError) as error:
            reason = str(error).rstrip(".")
            damaged.append(f"Line {number} of {path} is left out: {reason}.")
        else:
            if _stem(entry.reader) == _stem(path.stem):  # else a copy, which is nobody's own
                scores.reader = entry.reader
            scores.add(entry)
    scores.damaged = tuple(damaged)
    return scores


def all_scores(study: Study) -> list[Scores]:
    """Every reader's, by name; the consensus is not among them."""
    paths = sorted(study.scores_folder.glob("*.jsonl"))
    others = (CONSENSUS, RESCUED)
    return [read_scores(path) for path in paths if not path.stem.endswith(others)]


class ScoreLog:
    """One reader's log, open for writing; see the top of this file.

    ``reports`` are sentences about damage that was found.
    """

    def __init__(self, path: Path, reader: str) -> None:
        self.reader = reader
        self.path = path
        self._lines = DurableLines.create(path, f"The scores of {reader}")
        try:
            self._scores = read_scores(path)
        except BaseException:
            self._lines.close()
            raise
        said = [*self._lines.reports, *self._scores.damaged]
        self.reports: list[str] = list(dict.fromkeys(said))

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
    name = reader.strip()
    allowed = all(map(_makes_names, _stem(name)))
    if not name or len(name.encode()) > 100 or not allowed or name.startswith("."):
        raise ReadingError(
            f"{reader!r} cannot be a reader's name; use letters, digits, spaces, - and _."
        )
    file = _stem(name)
    reserved = {*_DEVICES, NETWORK}
    if file.split(".")[0] in reserved or file.endswith((CONSENSUS, RESCUED)):
        raise ReadingError(f"{reader!r} is a reserved name; choose another.")
    return file


def _makes_names(letter: str) -> bool:
    # Marks stand beside their letters in Hindi, Thai or a folded İ.
    return letter.isalnum() or letter in " -_." or unicodedata.category(letter)[0] == "M"


def _stem(reader: str) -> str:
    name = unicodedata.normalize("NFC", reader.strip())
    return name.casefold().replace(" ", "-").rstrip(".")


def rescue(entry: ScoreEntry, folder: str | Path) -> Path:
    """Write an entry that could not be saved to another folder; the log that now holds it."""
    path = Path(folder) / f"{file_name(entry.reader)}{RESCUED}.jsonl"
    with DurableLines.create(path, f"The scores of {entry.reader}") as lines:
        lines.append(entry.to_record())
    return path


def import_rescued(log: ScoreLog, rescued: str | Path) -> list[ItemKey]:
    """Bring rescued entries into the log, where nothing newer stands; the items concerned.

    Raises ReadingError, and takes nothing, if a line is damaged or another reader's.
    """
    scores = read_scores(rescued)
    if scores.damaged:
        raise ReadingError(scores.damaged[0])
    for entry in scores.entries.values():
        if _stem(entry.reader) != _stem(log.reader):
            raise ReadingError(
                f"{rescued} holds scores of {entry.reader}, not of {log.reader}; nothing was "
                "taken. Open the study under that name first."
            )
    taken: Iterable[ScoreEntry] = (
        entry
        for entry in scores.entries.values()
        if entry.key not in log.entries or log.entries[entry.key].time < entry.time
    )
    return [log.add(entry).key for entry in list(taken)]

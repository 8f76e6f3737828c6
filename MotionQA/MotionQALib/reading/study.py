"""A study's settings, chosen once and kept in its folder.

study = Study.create(folder, level="slice", order="shuffled", repeats=0.1)
study = Study.open(folder)

folder/study.json               these settings
folder/cases.jsonl              the cases (`case_list`)
folder/scores/READER.jsonl      a log a reader (`scores`)
folder/scores/consensus.jsonl   what the adjudicator settled (`consensus`)
folder/unblinded.jsonl          who adjudicates without having read, and cannot read any more
"""

from __future__ import annotations

import json
import os
import reprlib
import secrets
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime
from pathlib import Path

from .disk import sync, sync_folder
from .reading_errors import ReadingError, StudyError

FORMAT = 1
FILE = "study.json"
LEVELS = ("volume", "slice")
ORDERS = ("listed", "shuffled", "uncertain")


@dataclass(frozen=True)
class Study:
    """What all readers of a study share; none of it can be changed once scores depend on it.

    Parameters
    ----------
    folder : where the study lies
    level : what a score speaks of, "volume" or "slice" (of a cine, in all its frames)
    order : of the cases: "listed", "shuffled" by the seed, or "uncertain", the network's most
        uncertain ones first
    seed : of the shuffle and of the choice of repeats
    blinded : hide file names and patient data
    blind_to_network : hide the network's grade until the case is scored
    repeats : share of the cases, 0 to 0.5, that come back later, unannounced
    repeat_distance : cases between a case and its repeat, or half the list if that is shorter
    idle_after : seconds without input after which the reader is taken to be away
    salt : makes patients' hashed identifiers this study's own
    """

    folder: Path
    level: str = "volume"
    order: str = "shuffled"
    seed: int = 0
    blinded: bool = True
    blind_to_network: bool = True
    repeats: float = 0.0
    repeat_distance: int = 20
    idle_after: float = 60.0
    salt: str = field(default_factory=lambda: secrets.token_hex(8))
    created: str = field(
        default_factory=lambda: datetime.now().astimezone().isoformat(timespec="seconds")
    )

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))
        _require(self.level in LEVELS, "level", self.level, "volume or slice")
        _require(self.order in ORDERS, "order", self.order, "listed, shuffled or uncertain")
        _require(_whole(self.seed), "seed", self.seed, "a whole number")
        for name in ("blinded", "blind_to_network"):
            _require(isinstance(getattr(self, name), bool), name, getattr(self, name), "yes or no")
        _require(_within(self.repeats, 0, 0.5), "repeats", self.repeats, "a share from 0 to 0.5")
        good = _whole(self.repeat_distance) and self.repeat_distance >= 1
        _require(good, "repeat_distance", self.repeat_distance, "a whole number from 1 on")
        _require(_within(self.idle_after, 1, 3600), "idle_after", self.idle_after, "1 to 3600 s")
        for name in ("salt", "created"):
            _require(isinstance(getattr(self, name), str), name, getattr(self, name), "text")

    @classmethod
    def create(cls, folder: str | Path, **settings) -> Study:
        """Begin a study in a folder, which is made if need be.

        Raises ReadingError if a setting makes no sense, the folder has a study already, or it
        cannot be written.
        """
        study = cls(Path(folder), **settings)
        content = {key: value for key, value in asdict(study).items() if key != "folder"}
        text = json.dumps({"format": FORMAT, **content}, indent=1) + "\n"
        try:
            study.scores_folder.mkdir(parents=True, exist_ok=True)
            with (study.folder / FILE).open("x", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                sync(file.fileno())
            sync_folder(study.folder)
        except FileExistsError as error:
            raise StudyError(
                f"{folder} holds a study already; open it, or choose another folder."
            ) from error
        except OSError as error:
            raise StudyError(
                f"No study can be made in {folder} ({error.strerror or error}); choose a folder "
                "that you may write to."
            ) from error
        return study

    @classmethod
    def open(cls, folder: str | Path) -> Study:
        """Open a study. Raises ReadingError if there is none, or its file is damaged."""
        path = Path(folder) / FILE
        try:
            content = json.loads(path.read_bytes())
            if not isinstance(content, dict) or not _whole(content.pop("format", None)):
                raise ValueError("no format")
        except FileNotFoundError as error:
            raise StudyError(
                f"{folder} holds no study; choose a folder with {FILE} in it, or begin a study."
            ) from error
        except OSError as error:
            raise StudyError(f"{path} cannot be read ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:
            raise StudyError(
                f"{path} is damaged or cut short; bring it back from a backup. The scores beside "
                "it are untouched."
            ) from error
        known = {field.name for field in fields(cls)} - {"folder"}
        unknown = sorted(set(content) - known)
        if unknown:  # to read on without them could unblind a reader
            raise StudyError(
                f"{path} has a setting that this version does not know, {unknown[0]}; install a "
                "newer MotionQA."
            )
        try:
            return cls(Path(folder), **content)
        except ReadingError as error:
            raise StudyError(f"{path}: {error}") from error

    @property
    def scores_folder(self) -> Path:
        return self.folder / "scores"

    @property
    def unblinded_file(self) -> Path:
        """Who has seen the readers' scores without having read."""
        return self.folder / "unblinded.jsonl"

    @property
    def cases_file(self) -> Path:
        return self.folder / "cases.jsonl"

    def relative(self, path: str | Path) -> str:
        """A file's path as the study keeps it: from its folder, so that both can be moved."""
        absolute = os.path.abspath(path)  # noqa: PTH100 - links stay what the user named
        try:
            return Path(os.path.relpath(absolute, os.path.abspath(self.folder))).as_posix()  # noqa: PTH100
        except ValueError:  # another Windows drive
            return Path(absolute).as_posix()

    def absolute(self, path: str) -> Path:
        """The file that `relative` named."""
        return Path(os.path.normpath(self.folder / path))


def _require(good: bool, name: str, value: object, wanted: str) -> None:
    if not good:
        named, shown = name.replace("_", " "), reprlib.repr(value)
        raise StudyError(f"The study's {named} is {shown}; give {wanted}.")


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _within(value: object, low: float, high: float) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and low <= value <= high

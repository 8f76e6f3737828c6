"""In which order a reader sees the cases, and where in it the reader is.

    worklist = Worklist(study, cases.cases)          # or with the network's uncertainties
    worklist.items[12].case, .key, .number, .name    # name is None where the study is blinded
    worklist.readings[3]                             # items of one reading of a case
    done, total, seconds = worklist.progress(log.entries)

The order follows from the seed and from what the cases hold, so that every session finds it
again. Cases that are added later come after the earlier ones and change nothing before them
(except where the network's uncertainty decides the order). Repeats look like any other item.
"""

from __future__ import annotations

import hashlib
import heapq
import math
import statistics
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from .cases import Case
from .score_entry import ItemKey, ScoreEntry
from .study import Study

RECENT = 20
"""Scores whose reading times tell how long the rest will take."""

FEWEST = 3
"""Scores before anything is said about the time left."""


@dataclass(frozen=True)
class Item:
    """One thing to score.

    Parameters
    ----------
    number : of the case in this list, from 1; a repeat has one of its own
    name : the case's name; None where the study is blinded
    """

    key: ItemKey
    case: Case
    number: int
    name: str | None


class ReadingProgress(NamedTuple):
    """How far a reader is; ``seconds_left`` is None until that can be told."""

    done: int
    total: int
    seconds_left: float | None


class _Reading(NamedTuple):
    case: Case
    repeat: int


class Worklist:
    """The items in order; ``readings`` are the items of each reading of a case, which are several
    where slices are scored. A case that comes back has two readings.

    Parameters
    ----------
    uncertainties : of case keys, from 0 (sure), for the order "uncertain"; cases without one come
        last
    """

    def __init__(
        self,
        study: Study,
        cases: Sequence[Case],
        uncertainties: Mapping[str, float] | None = None,
    ) -> None:
        self.study = study
        self.items = tuple(_items(study, _readings(study, cases, uncertainties or {})))
        self.readings = tuple(
            tuple(same) for _, same in groupby(self.items, key=lambda item: item.number)
        )
        self._index = {item.key: index for index, item in enumerate(self.items)}
        self._of_case: dict[str, list[ItemKey]] = {}
        for key in self._index:
            self._of_case.setdefault(key.case, []).append(key)

    def __len__(self) -> int:
        return len(self.items)

    def index_of(self, key: ItemKey) -> int | None:
        """Where an item stands; None for one that is not in the list."""
        return self._index.get(key)

    def keys_of(self, case: str) -> list[ItemKey]:
        """The items of a case, by its key, repeats too."""
        return self._of_case.get(case, [])

    def progress(
        self,
        entries: Mapping[ItemKey, ScoreEntry],
        unreadable: Collection[str] = (),
        latest: Mapping[ItemKey, int] | None = None,
    ) -> ReadingProgress:
        """Count this list's items; the time left is the mean active time of recent scores' rest.

        What is recent, the log's order says (`Scores.latest`), as clocks are set back: what it does
        not have yet, because it is not saved, is the most recent; without it, the entries' order.

        Of a case that was scored again, the last reading counts. What is unscored of cases that
        cannot be read (their keys) is no part of the total.
        """
        done = [entries[item.key] for item in self.items if item.key in entries]
        total = len(self._wanted(unreadable) | (self._index.keys() & entries.keys()))
        order = {key: n for n, key in enumerate(entries)} if latest is None else latest
        timed = [
            (order.get(e.key, math.inf), n, e.seconds)
            for n, e in enumerate(done)
            if e.seconds is not None
        ]
        recent = [seconds for *_, seconds in heapq.nlargest(RECENT, timed)]
        left = None
        if len(recent) >= FEWEST:
            left = statistics.fmean(recent) * (total - len(done))
        return ReadingProgress(len(done), total, left)

    def finished(
        self, entries: Mapping[ItemKey, ScoreEntry], unreadable: Collection[str] = ()
    ) -> bool:
        """Whether all is scored but cases that cannot be read; where none can, nothing is."""
        wanted = self._wanted(unreadable)
        return bool(wanted) and wanted <= entries.keys()

    def _wanted(self, unreadable: Collection[str]) -> Set[ItemKey]:
        """The items of cases that can be read."""
        if not unreadable:
            return self._index.keys()
        return {key for key in self._index if key.case not in unreadable}


def _items(study: Study, readings: Sequence[_Reading]) -> list[Item]:
    items = []
    for number, (case, repeat) in enumerate(readings, start=1):
        slices = range(case.n_slices) if study.level == "slice" else (None,)
        name = None if study.blinded else case.name
        items += [Item(ItemKey(case.key, index, repeat), case, number, name) for index in slices]
    return items


def _readings(
    study: Study, cases: Sequence[Case], uncertainties: Mapping[str, float]
) -> list[_Reading]:
    batches = [list(batch) for _, batch in groupby(_by_batch(cases), key=lambda case: case.batch)]
    repeated = {case.key for batch in batches for case in _chosen(study, batch)}
    if study.order == "uncertain":  # over all batches: what teaches most comes first
        batches = [[case for batch in batches for case in batch]]
    readings = []
    for batch in batches:
        order = _ordered(study, batch, uncertainties)
        readings += _with_repeats(study, order, repeated)
    return readings


def _by_batch(cases: Sequence[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: case.batch)  # stable: as listed within a batch


def _ordered(study: Study, batch: list[Case], uncertainties: Mapping[str, float]) -> list[Case]:
    if study.order == "listed":
        return batch
    if study.order == "shuffled":
        return sorted(batch, key=lambda case: _draw(study, "order", case))
    return sorted(batch, key=lambda c: (-uncertainties.get(c.key, -1.0), _draw(study, "order", c)))


def _chosen(study: Study, batch: list[Case]) -> list[Case]:
    """Cases of a batch that will come back: of those that leave space behind them."""
    count = round(study.repeats * len(batch))
    if study.order == "uncertain":
        candidates = batch
    else:
        order = _ordered(study, batch, {})
        candidates = order[: len(order) - _distance(study, len(order))]
    return sorted(candidates, key=lambda case: _draw(study, "repeat", case))[:count]


def _distance(study: Study, n: int) -> int:
    return min(study.repeat_distance, n // 2)


def _with_repeats(study: Study, order: list[Case], repeated: set[str]) -> list[_Reading]:
    """Put each repeat at a drawn place, at least the distance behind its first reading."""
    once = [case for case in order if case.key not in repeated]
    distance = min(_distance(study, len(order)), len(once))
    # By uncertainty, a repeated case may stand too near the end: others then end the list.
    last = {case.key for case in once[len(once) - distance :]}
    order = sorted(order, key=lambda case: case.key in last)
    behind: dict[int, list[Case]] = {}
    for position, case in enumerate(order):
        if case.key in repeated:
            spare = len(order) - position - distance  # places from the nearest to the end
            step = int(_draw(study, "place", case) * spare)
            behind.setdefault(position + distance + step, []).append(case)
    readings = []
    for position, case in enumerate(order):
        readings.append(_Reading(case, 0))
        readings += [_Reading(again, 1) for again in behind.get(position, ())]
    return readings


def _draw(study: Study, purpose: str, case: Case) -> float:
    """A number in [0, 1) that only the seed, the purpose and the case's content decide."""
    text = f"{study.seed}/{purpose}/{case.key}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=6).digest(), "big") / 2**48

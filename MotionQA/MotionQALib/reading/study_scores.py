"""All readers' scores of a study and the consensus: the one door to them, and who may pass it.

    scores = StudyScores.for_reader(session)        # Hidden until the reader has finished
    scores = StudyScores.for_adjudicator(session)   # or has scored nothing, and will not
    scores = StudyScores.of_reader(session)         # of the others nothing: the reader's own
    scores = StudyScores.for_person(study, "anna")  # outside of the panel
    scores = StudyScores.for_coordinator(study)     # who runs the study and does not read in it
    scores.readers, scores.consensus, scores.remarks

Whatever shows or writes scores of a study (tables, agreement, consensus, exports) takes these.
Copies that programs make which synchronise folders are no readers: a log is left out, with a
remark, where its name and its content disagree, and where it repeats another's lines.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from .blinding import Blinding, Remark, of_logs
from .case_list import CaseList
from .export_names import export_names
from .reading_errors import Hidden, StudyError
from .scores import CONSENSUS, RESCUED, Scores, file_name, read_scores
from .session import ReadingSession
from .study import Study
from .worklist import Worklist

NOT_YET = "You have not scored all cases yet. Other readers' scores are shown when you have."
NO_NAMES_YET = (
    "You have not scored all cases yet. Tables name the images, which stay hidden until you have."
)


@dataclass(frozen=True, eq=False)
class StudyScores:
    """What may be seen; use one of the class methods, which raise Hidden.

    Parameters
    ----------
    blinding : what the one who sees it may be told of images
    readers : whose logs are good, by the logs' names
    remarks : on logs and lines that are left out
    """

    study: Study
    cases: CaseList
    blinding: Blinding
    readers: tuple[Scores, ...]
    consensus: Scores
    remarks: tuple[Remark, ...]

    @classmethod
    def for_reader(cls, session: ReadingSession) -> StudyScores:
        """Everybody's, for a reader who has finished."""
        if not session.may_see_others:
            raise Hidden(NOT_YET)
        if not session.worklist.finished(session.log.entries):
            session.unblind()  # the rest cannot be read now; who has seen others' does not score it
        return cls._read(session.study, session.cases, session.blinding)

    @classmethod
    def for_adjudicator(cls, session: ReadingSession) -> StudyScores:
        """Everybody's, for who has finished, or has scored nothing and only adjudicates."""
        if not session.may_see_others and session.log.entries:
            raise Hidden(NOT_YET)
        return cls._read(session.study, session.cases, session.blinding)

    @classmethod
    def of_reader(cls, session: ReadingSession) -> StudyScores:
        """A reader's own, to be written with the images' names."""
        if session.study.blinded and not session.finished:
            raise Hidden(NO_NAMES_YET)
        own = read_scores(session.log.path, owner=session.log.path.stem)
        nothing = Scores(CONSENSUS)
        return cls(session.study, session.cases, session.blinding, (own,), nothing, own.damaged)

    @classmethod
    def for_person(cls, study: Study, name: str) -> StudyScores:
        """Everybody's, for somebody who may be a reader of the study under this name."""
        cases = CaseList(study)
        try:
            log = study.scores_folder / f"{file_name(name)}.jsonl"
        except StudyError:  # no reader can have this name
            return cls.for_coordinator(study)
        own = read_scores(log).entries
        if own:
            lost = {case.key for case in cases.cases if cases.file_of(case) is None}
            if not Worklist(study, cases.cases).finished(own, lost):
                raise Hidden(NOT_YET)
        return cls.for_coordinator(study)

    @classmethod
    def for_coordinator(cls, study: Study) -> StudyScores:
        """Everybody's, for who runs the study; not for a reader who still reads."""
        cases = CaseList(study)
        return cls._read(study, cases, Blinding(False, {}, lambda: export_names(cases)))

    @classmethod
    def _read(cls, study: Study, cases: CaseList, blinding: Blinding) -> StudyScores:
        paths = sorted(study.scores_folder.glob("*.jsonl"))
        logs = [p for p in paths if not p.stem.endswith((CONSENSUS, RESCUED))]
        read = [read_scores(path, owner=path.stem) for path in logs]
        remarks = [remark for scores in read for remark in scores.damaged]
        kept, copies = _without_copies([scores for scores in read if scores.said])
        consensus = study.scores_folder / f"{CONSENSUS}.jsonl"
        settled = read_scores(consensus, owner=CONSENSUS)
        remarks += [*copies, *settled.damaged]
        return cls(study, cases, blinding, tuple(kept), settled, tuple(remarks))

    def of(self, reader: str) -> Scores:
        """One reader's by name, or the consensus; empty where there are none."""
        if reader == CONSENSUS:
            return self.consensus
        wanted = file_name(reader)
        found = (scores for scores in self.readers if scores.log == wanted)
        return next(found, Scores(reader))

    def tell(self) -> tuple[str, ...]:
        """The remarks, as they may be told."""
        return self.blinding.tell([*self.cases.reports, *self.remarks])


def _without_copies(everyone: list[Scores]) -> tuple[list[Scores], list[Remark]]:
    """Logs of which most lines are no other's, and sentences on the others.

    Nobody scores the same image in the same millisecond as another reader.
    """
    # Of two that repeat each other, the one stays that says more.
    order = sorted(everyone, key=lambda s: (-len(s.said), s.log))
    seen: Counter = Counter()
    left_out = {}
    for scores in order:
        lines = {(entry.time, entry.key, entry.score, entry.grade) for entry in scores.said}
        if sum(line in seen for line in lines) * 2 > len(lines):
            text = (
                f"{scores.log}.jsonl repeats the lines of another reader's log, as copies do that "
                "programs make which synchronise folders; it is left out."
            )
            left_out[scores.log] = of_logs(text)
        else:
            seen.update(lines)
    kept = [scores for scores in everyone if scores.log not in left_out]
    return kept, list(left_out.values())

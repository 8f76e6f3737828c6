"""What comes of a study: agreement, consensus, and files for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import slicer
from slicer.i18n import tr as _

from MotionQALib.reading import exchange
from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.consensus import (
    ConsensusLog,
    Docket,
    dockets_of,
    open_consensus,
    settle,
    settle_unanimous,
)
from MotionQALib.reading.entry import Place
from MotionQALib.reading.errors import ReadingError
from MotionQALib.reading.scores import CONSENSUS, take_back

from . import phrases
from .agreement_view import AgreementView
from .consensus_view import ConsensusView
from .files_view import FilesView


class ResultsDesk:
    """Joins three views to the open study.

    Parameters
    ----------
    panel : the LabellingPanel, whose study it is
    """

    def __init__(self, ui, panel) -> None:
        self._panel = panel
        self._log: ConsensusLog | None = None
        self._unsaved: dict[Place, int] = {}  # settled, but not on disk
        self._problem = ""
        self.agreement = AgreementView(ui.agreementFrame)
        self.consensus = ConsensusView(ui.consensusFrame)
        self.files = FilesView(ui.filesFrame)
        self.agreement.asked.connect(self.compare)
        self.agreement.chosen.connect(self._on_disagreement)
        self.consensus.started.connect(self.adjudicate)
        self.consensus.chosen.connect(self._on_docket)
        self.consensus.settled.connect(self.settle)
        self.consensus.unanimous.connect(self._on_unanimous)
        self.consensus.undone.connect(self.undo)
        files = self.files
        files.add_folder.connect(panel.add_images)
        files.add_list.connect(panel.add_images)
        files.network.connect(panel.use_network)
        files.grade_all.connect(panel.grade_all)
        files.import_labels.connect(self._on_import)
        files.take_back.connect(self._on_take_back)
        files.export_long.connect(self._exporting(lambda path: exchange.export_long(*path)))
        files.export_labels.connect(self._exporting(lambda path: self._export("labels", *path)))
        files.export_grades.connect(self._exporting(lambda path: self._export("grades", *path)))

    def close(self) -> None:
        """The study is closed; may be called twice."""
        self._stop_adjudicating()
        self.agreement.show(None)
        self.files.say("")

    @property
    def _may_not_see(self) -> str | None:
        """Why other readers' scores may not be shown; None if they may."""
        if self._panel.desk.session.may_see_others:
            return None
        return _(
            "You have not scored all cases yet. Other readers' scores are shown when you have."
        )

    # Agreement

    def compare(self) -> None:
        """Compute and show the readers' agreement, if the reader may see it."""
        why = self._may_not_see
        if why is not None:
            self.agreement.show(None, why)
            return
        try:
            report = agreement(self._panel.study, network=self._panel.network.known)
        except ReadingError as error:
            self.agreement.show(None, str(error))
        else:
            self.agreement.show(report, name_of=self._case_names())

    def _on_disagreement(self, disagreement) -> None:
        self._go_to(disagreement.case, disagreement.slice)

    def _case_names(self) -> Callable[[str], str]:
        """What the reader may call a case, from its key."""
        panel, first = self._panel, {}
        for number, visit in enumerate(panel.desk.visits):
            first.setdefault(visit[0].place.case, number)

        def name_of(key: str) -> str:
            return panel.reading.stage.name_of(first[key]) if key in first else _("not in the list")

        return name_of

    def _go_to(self, key: str, index: int | None) -> None:
        items = self._panel.desk.session.list.items
        found = (i for i in items if i.place.case == key and i.place.slice == index)
        item = next(found, None)
        if item is not None:
            self._panel.desk.go_to(item)

    # Consensus

    def adjudicate(self) -> None:
        """Open the consensus for the reader who has the study open; asked again, close it."""
        if self._log is not None:
            if self.may_stop():
                self._stop_adjudicating()
            return
        why = self._may_not_see
        if why is not None and not self._only_adjudicates():
            self.consensus.say(why)
            return
        try:
            self._log = open_consensus(self._panel.study, self._panel.section.reader)
        except ReadingError as error:
            self.consensus.say(str(error))
            return
        self._panel.reading.hand_over(self)
        self._show_dockets()

    def _only_adjudicates(self) -> bool:
        """Whether somebody who has scored nothing will not read, but settle what others said."""
        if self._panel.desk.entries:
            return False
        text = _(
            "You have scored nothing in this study. Who adjudicates sees all readers' scores, and "
            "cannot be a blinded reader of it any more. Adjudicate?"
        )
        return slicer.util.confirmOkCancelDisplay(text, _("Adjudicate"))

    def settle(self, score: int) -> None:
        """Settle the case that is chosen in the table, after what could not be saved earlier."""
        docket, row = self.consensus.current, self.consensus.table.currentRow()
        if docket is None:
            return
        self._unsaved[docket.place] = score
        try:
            for number, each in enumerate(self.consensus.dockets):
                if each.place in self._unsaved:
                    entry = settle(self._log, each, self._unsaved[each.place])
                    del self._unsaved[each.place]
                    self.consensus.update(number, replace(each, settled=entry))
        except ReadingError as error:
            self._panel.reading.show_settled(score)
            self._problem = str(error)
            self._say_what_is_left()
        else:
            self._go_on(row)

    def settle_next(self) -> None:
        """On to the next case that is not settled."""
        self._go_on(self.consensus.table.currentRow() + 1)

    def undo(self) -> None:
        """Take back what was settled last."""
        if self._unsaved:
            place, _score = self._unsaved.popitem()
            dockets = self.consensus.dockets
            row = next(n for n, docket in enumerate(dockets) if docket.place == place)
            self._go_on(row)
            self.consensus.select(row)
            self._on_docket(dockets[row])
        else:
            self._saving(self._log.undo)

    def may_stop(self) -> bool:
        """Whether the adjudicator lets go what could not be saved, if there is such."""
        text = _("{count} settled scores are not saved. Stop adjudicating and lose them?")
        return not self._unsaved or slicer.util.confirmOkCancelDisplay(
            text.format(count=len(self._unsaved)), _("Scores are not saved")
        )

    def beat(self) -> None:
        """Tell other machines that the consensus is open here."""
        try:
            self._log.beat()
        except ReadingError as error:
            self.consensus.say(str(error))

    def _stop_adjudicating(self) -> None:
        if self._log is not None:
            self._log.close()
            self._panel.reading.hand_over(None)
        self._log = None
        self._unsaved.clear()
        self.consensus.say("")
        self.consensus.show((), [], str)

    def _show_dockets(self) -> None:
        """Read what all readers say now."""
        dockets = dockets_of(self._panel.study)
        readers = sorted({reader for docket in dockets for reader in docket.entries})
        self.consensus.show(dockets, readers, self._docket_names())
        self._go_on(0)

    def _go_on(self, row: int) -> None:
        """To the first case from this row on that is not settled."""
        dockets = self.consensus.dockets
        left = [n for n, docket in enumerate(dockets) if docket.settled is None]
        self.consensus.select(next((n for n in left if n >= row), left[0] if left else row))
        self._say_what_is_left()

    def _say_what_is_left(self) -> None:
        said = [docket.settled for docket in self.consensus.dockets]
        text = _("{left} of {all} still to settle").format(left=said.count(None), all=len(said))
        if None not in said:
            text = _("All are settled.")
        if self._unsaved:
            text = phrases.not_saved(self._problem, len(self._unsaved), "")
        self.consensus.say(text)

    def _docket_names(self) -> Callable[[Docket], str]:
        case_name = self._case_names()

        def name_of(docket: Docket) -> str:
            name = case_name(docket.place.case)
            if docket.place.slice is None:
                return name
            return _("{case}, slice {slice}").format(case=name, slice=docket.place.slice)

        return name_of

    def _on_docket(self, docket: Docket) -> None:
        self._go_to(docket.place.case, docket.place.slice)
        settled = None if docket.settled is None else docket.settled.score
        self._panel.reading.show_settled(self._unsaved.get(docket.place, settled))

    def _on_unanimous(self) -> None:
        self._saving(lambda: settle_unanimous(self._log, dockets_of(self._panel.study)))

    def _saving(self, save) -> None:
        try:
            save()
        except ReadingError as error:
            self.consensus.say(str(error))
        else:
            self._show_dockets()

    # Files

    def _exporting(self, export):
        def run(path: Path) -> None:
            try:
                rows = export((self._panel.study, path))
            except ReadingError as error:
                self.files.say(str(error))
            else:
                text = _("{rows} rows written to {file}")
                self.files.say(text.format(rows=rows, file=path))

        return run

    def _export(self, form: str, study, path: Path) -> int:
        """The consensus where there is one, else the reader's own scores."""
        write = {"labels": exchange.export_labels, "grades": exchange.export_grades}[form]
        settled = (study.scores_folder / f"{CONSENSUS}.jsonl").is_file()
        return write(study, CONSENSUS if settled else self._panel.section.reader, path)

    def _on_import(self, path: Path) -> None:
        session = self._panel.desk.session
        try:
            count, remarks = exchange.import_labels(session.study, session.log, path)
        except ReadingError as error:
            self.files.say(str(error))
            return
        text = _("{count} labels were taken.")
        said = phrases.problems(remarks, blinded=session.study.blinded)
        self.files.say(" ".join((text.format(count=count), *said)))
        self._panel.reading.list_again()

    def _on_take_back(self, path: Path) -> None:
        try:
            places = take_back(self._panel.desk.session.log, path)
        except ReadingError as error:
            self.files.say(str(error))
            return
        self.files.say(_("{count} scores were taken back.").format(count=len(places)))
        self._panel.reading.list_again()

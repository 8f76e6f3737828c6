"""The panel with which radiologists score images where they read them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import qt
import slicer
from slicer.i18n import tr as _

from MotionQALib.reading.blinding import Blinding, Remark
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import Listed, listed
from MotionQALib.reading.network_grades import NetworkGrades
from MotionQALib.reading.reader_scoring import ReaderScoring
from MotionQALib.reading.reading_errors import ReadingError, StudyError
from MotionQALib.reading.session import ReadingSession
from MotionQALib.reading.study import Study

from .. import dependencies
from ..grading import Grading
from ..observers import Observers
from . import phrases
from .adjudication_section import AdjudicationSection
from .agreement_section import AgreementSection
from .case_names import CaseNames
from .files_section import FilesSection
from .image_import import ImageImport
from .network_grade import NetworkGrade
from .network_run import NetworkRun
from .scene_cases import nodes_by_case, volumes_in_scene
from .scoring_panel import ScoringPanel
from .study_section import NewStudy, StudySection
from .welcome import Welcome

NETWORK_FILE = "network.json"
"""In the study's folder: what ``motionqa assess --json`` wrote of its cases."""


UNNAMED, NAMED = (Blinding(active, {}, dict) for active in (True, False))
"""What may be told before a reader's list is there."""


class LabellingPanel:
    """Opens and begins studies; the reading itself is the `ScoringPanel`'s.

    A study stays open while the user looks into another module. Between `leave` and `enter` no
    key acts, and nothing is drawn or observed in the views.

    Parameters
    ----------
    grading : what the network's grades come from; the panel's owner disposes of it
    ui_file : the panel's layout
    """

    def __init__(self, grading: Grading, ui_file: str | Path) -> None:
        self.widget = slicer.util.loadUI(str(ui_file))
        self.ui = slicer.util.childWidgetVariables(self.widget)
        self.network = NetworkGrade(grading)
        self.section = StudySection(self.ui)
        self.reading = ScoringPanel(self.ui, self.network)
        self.agreement = AgreementSection(self.ui.agreementFrame, self.network)
        self.adjudication = AdjudicationSection(self.ui.consensusFrame)
        self.files = FilesSection(self.ui.filesFrame)
        self.welcome = Welcome(self.ui, self.create, self.open, self.reading.display.say)
        self._import: ImageImport | None = None
        self._run: NetworkRun | None = None
        self._entered = False
        self._observers = Observers()
        scene = slicer.mrmlScene
        self._observers.add(scene, scene.EndCloseEvent, self._on_scene_closed)
        self.section.opened.connect(self.open)
        self.section.created.connect(self.create)
        self.section.closed.connect(self.close_study)
        self.adjudication.started.connect(self.reading.adjudicate)
        self.adjudication.stopped.connect(self.reading.read)
        self.files.taken.connect(self.reading.list_again)
        view = self.files.view
        view.add_folder.connect(self.add_images)
        view.add_list.connect(self.add_images)
        view.network.connect(self.use_network)
        view.grade_all.connect(self.grade_all)
        self._show_study()

    @property
    def scoring(self) -> ReaderScoring | None:
        """The reader's scores in the open study."""
        return self.reading.scoring

    @property
    def importing(self) -> bool:
        """Whether new images are being looked at."""
        return self._import is not None

    @property
    def grading_all(self) -> bool:
        """Whether the network grades all cases now."""
        return self._run is not None

    @property
    def study(self) -> Study | None:
        return None if self.scoring is None else self.scoring.session.study

    # Coming and going

    def set_settings(self, settings) -> None:
        """The parameter node's wrapper, which names the checkpoint; None while there is none."""
        if settings is not None:
            self.network.checkpoint = settings.checkpoint

    def enter(self) -> None:
        self._entered = True
        self.reading.enter()

    def leave(self) -> None:
        self._entered = False
        self.reading.leave()

    def dispose(self) -> None:
        """The module goes: what is left of the panel are dead widgets."""
        self.reading.display.details.finish()
        if self.scoring is not None and self.scoring.unsaved and not self.scoring.retry():
            kept = self.scoring.save_elsewhere(Path.home())
            logging.error("MotionQA: scores could not be saved; they are kept in %s", kept)
        self._shut()
        self._observers.clear()
        self.reading.dispose()
        self.network.dispose()

    # Studies

    def open(self, folder: str | Path) -> bool:
        """Open a study for the reader that is named; whether it is open."""
        if not self.close_study():
            return False
        folder = Path(folder)
        try:
            if not self.section.reader:
                raise StudyError(_("Enter your name first: your scores are kept under it."))
            session = ReadingSession(Study.open(folder), self.section.reader)
        except ReadingError as error:
            self._say_error(error, UNNAMED)
            return False
        network = session.study.folder / NETWORK_FILE
        remarks = self._read_network(session, network) if network.is_file() else ()
        if not len(session.worklist):
            session.close()
            self.reading.display.say(
                _("The study has no images yet; begin it anew in an empty folder.")
            )
            return False
        scoring = ReaderScoring(session)
        names = CaseNames(scoring)
        in_scene = any(case.path is None for case in session.cases.cases)
        self.reading.open(scoring, names, nodes_by_case() if in_scene else {})
        self.agreement.open(scoring, names)
        self.adjudication.open(scoring, names)
        self.files.open(scoring)
        self._show_study()
        if self._entered:
            self.reading.enter()
        problem = self.reading.shown.problem  # which knows the case by its number
        said = (Remark(problem, blinded=problem), *session.reports, *remarks)
        self.reading.display.say(phrases.told(said, session.blinding))
        return True

    def create(self, new: NewStudy) -> None:
        """Begin a study, look at its images, and open it."""
        if not self.close_study():
            return
        try:
            files = [] if new.source is None else listed(new.source)
            found = [] if new.source is not None else volumes_in_scene()
            if not files and not found:
                raise StudyError(_("The scene has no volumes to read; load some first."))
            study = Study.create(new.folder, **new.settings)
            cases = CaseList(study)
            if found:
                cases.add_volumes([volume for _node, volume in found])
        except ReadingError as error:
            self._say_error(error, UNNAMED if new.settings.get("blinded", True) else NAMED)
            return
        self._take(cases, files, lambda: self.open(new.folder))

    def add_images(self, source: Path) -> None:
        """Add images to the open study; its cases keep their scores and places."""
        try:
            self._take(self.scoring.session.cases, listed(source), self.reading.list_again)
        except ReadingError as error:
            self._say_error(error, self.scoring.session.blinding)

    def _say_error(self, error: ReadingError, blinding: Blinding) -> None:
        self.reading.display.say(blinding.error(error))

    def close_study(self) -> bool:
        """Stop reading; whether no study is open now: the user may keep it for what is unsaved."""
        self.reading.display.details.finish()  # on a Mac, a click on a button does not end typing
        if self.scoring is not None and not (
            self.adjudication.may_stop() and self._may_lose(self.scoring)
        ):
            return False
        self._shut()
        return True

    def _may_lose(self, scoring: ReaderScoring) -> bool:
        """Whether the user lets go what the study's logs do not hold."""
        title, count = _("Scores are not saved"), len(scoring.unsaved)
        text = _(
            "{count} scores are not saved. Close the study and lose them?\n"
            "Cancel, and use Save elsewhere to keep them."
        )
        if not scoring.unsaved:
            title, count = _("Remarks are not saved"), len(scoring.drafts)
            text = _("{count} images have remarks but no score. Close the study and lose them?")
        return not count or slicer.util.confirmOkCancelDisplay(text.format(count=count), title)

    def _shut(self) -> None:
        if self._import is not None:
            self._import.stop()
            self._import = None
        if self._run is not None:
            self._run.stop()
            self._run = None
        for section in (self.agreement, self.adjudication, self.files, self.reading):
            section.close()
        self.network.known = NetworkGrades()
        self._show_study()
        self.reading.display.say("")

    def use_network(self, path: Path) -> None:
        """Order the cases by the network's grades, and compare with them."""
        remarks = self._read_network(self.scoring.session, path)
        self.reading.list_again()
        self.reading.display.say(phrases.told(remarks, self.scoring.session.blinding))

    def grade_all(self) -> None:
        """Have the network grade all cases, for their order and to be compared with."""
        problem = dependencies.ensure() if dependencies.missing() else None
        session = self.scoring.session
        files = [session.cases.file_of(case) for case in session.cases.cases]
        files = [file for file in files if file is not None]
        if problem is not None or not files or self._run is not None:
            self.files.say(problem or _("There are no files to grade, or it is at work."))
            return
        output = session.study.folder / NETWORK_FILE
        self._run = NetworkRun(files, self.network.checkpoint, output)
        self._run.finished.connect(self._on_graded)
        text = _("The network grades {count} cases; you can go on reading.")
        self.files.say(text.format(count=len(files)))

    def _on_graded(self, output: Path | None, problem: str) -> None:
        self._run = None
        if output is not None:
            self.use_network(output)
        if problem and self.study.blinded:  # its sentences name files
            cases = self.scoring.session.cases.cases
            graded = 0 if output is None else len(self.network.known.assessments)
            text = _("The network could not grade {count} of {all} cases.")
            problem = text.format(count=len(cases) - graded, all=len(cases))
        self.files.say(problem or _("The network has graded all cases."))

    def _read_network(self, session: ReadingSession, path: Path) -> tuple[Remark, ...]:
        """Take the network's grades of the cases, and their order; sentences on what is wrong."""
        try:
            self.network.known = NetworkGrades.read(path, session.cases)
        except ReadingError as error:
            return (Remark(str(error), blinded=error.blinded),)
        session.rebuild(self.network.known.uncertainties(session.study.level))
        return self.network.known.remarks

    def _take(self, cases: CaseList, files: list[Listed], then: Callable[[], object]) -> None:
        """Look at files, and go on when all were seen."""
        if self._import is not None:
            self._import.stop()
        images = self._import = ImageImport(cases, files)
        images.progress.connect(self._on_looking)
        blinding = UNNAMED if cases.study.blinded else NAMED
        images.finished.connect(lambda said: self._on_taken(phrases.told(said, blinding), then))
        self.ui.closeButton.enabled = True

    def _on_looking(self, done: int, total: int) -> None:
        text = _("Looking at image {done} of {total} …")
        self.reading.display.say(text.format(done=done, total=total))

    def _on_taken(self, problems: str, then: Callable[[], object]) -> None:
        self._import = None
        self.reading.display.say("")
        then()
        said = (self.ui.messageLabel.text, problems)
        self.reading.display.say("\n".join(sentence for sentence in said if sentence))

    def _show_study(self) -> None:
        is_open = self.scoring is not None
        self.section.show(self.study.folder if is_open else None)
        self.welcome.show(not is_open)
        for name in ("agreementButton", "consensusButton", "filesButton"):
            getattr(self.ui, name).visible = is_open

    def _on_scene_closed(self, *_args) -> None:
        if self.scoring is not None:
            self.reading.shown.forget_scene()
        qt.QTimer.singleShot(0, self._show_again)  # when the scene has come to rest

    def _show_again(self) -> None:
        if self._entered and self.scoring is not None:
            self.reading.shown.show(again=True)

"""Looks at a study's new images one by one, while Slicer's window keeps answering."""

from __future__ import annotations

from collections.abc import Sequence

import qt
from slicer.i18n import tr as _

from MotionQALib.reading.blinding import Remark, of_logs
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.cases import Listed
from MotionQALib.reading.reading_errors import ReadingError
from MotionQALib.signals import Signal


class ImageImport:
    """Adds files to a study's cases.

    Signals
    -------
    progress(done, total)
    finished(problems) : sentences, of files that are no cases and of what ended it early
    """

    def __init__(self, cases: CaseList, files: Sequence[Listed]) -> None:
        self.progress, self.finished = Signal(), Signal()
        self._problems: list[str] = []
        self._masks = 0
        self._done, self._total = 0, len(files)
        self._steps = cases.add(files)
        self._timer = qt.QTimer()
        self._timer.interval = 0
        self._timer.timeout.connect(self._step)
        self._timer.start()

    def stop(self) -> None:
        """Leave it at what was added; `finished` is not heard any more."""
        self._timer.stop()
        self._steps.close()  # others may add cases now
        self.progress.disconnect()
        self.finished.disconnect()

    def _step(self, *_args) -> None:
        try:
            added = next(self._steps)
        except StopIteration:
            self._end()
        except ReadingError as error:
            self._end(Remark(str(error), blinded=error.blinded))
        else:
            self._done += 1
            self._masks += added.mask
            if added.problem is not None:
                self._problems.append(added.problem)
            self.progress.emit(self._done, self._total)

    def _end(self, *problems: str) -> None:
        self._timer.stop()
        if self._masks:
            text = _("Segmentations left out: {count}.").format(count=self._masks)
            problems = (of_logs(text), *problems)  # a number names no image
        self.finished.emit((*self._problems, *problems))

"""What to do first, where no study is open: two sentences, and a study to try in one click."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from slicer.i18n import tr as _

from .. import sample_data
from .study_section import NewStudy


class Welcome:
    """Shown while no study is open.

    Parameters
    ----------
    ui : the panel's widgets
    create : begins a NewStudy
    resume : opens the folder of a study
    say : told why the sample volumes could not be made
    """

    def __init__(
        self,
        ui,
        create: Callable[[NewStudy], object],
        resume: Callable[[Path], object],
        say: Callable[[str], None],
    ) -> None:
        self._ui, self._create, self._resume, self._say = ui, create, resume, say
        ui.welcomeLabel.text = _(
            "Press <b>New study…</b> to choose images and score them one after the other, or "
            "<b>Open study…</b> to go on with one. Every score is saved in the study's folder, "
            "under your name, as soon as you give it."
        )
        ui.sampleStudyButton.text = _("Try it with the sample volumes")
        ui.sampleStudyButton.toolTip = _(
            "Four volumes of a synthetic heart are made on this computer, and opened as a study."
        )
        ui.sampleStudyButton.clicked.connect(self._on_button)

    def show(self, wanted: bool) -> None:
        self._ui.welcomeFrame.visible = wanted

    def _on_button(self, *_args) -> None:
        button = self._ui.sampleStudyButton
        button.enabled = False  # until they are there
        self._say(_("The sample volumes are being made; that takes a few seconds …"))
        try:
            problem = sample_data.provide()
        finally:
            button.enabled = True
        self._say(problem or "")
        if problem is not None:
            return
        folder = study_folder()
        if any(folder.glob("*")):
            self._resume(folder)
        else:
            self._create(NewStudy(folder, sample_data.folder(), {"repeats": 0.0}))


def study_folder() -> Path:
    """Of the study of the sample volumes, beside them."""
    samples = sample_data.folder()
    return samples.with_name(f"{samples.name}-study")

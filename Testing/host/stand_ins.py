"""Parts of Slicer that a test wants to read or answer: messages, pip, sample data, translation."""

from __future__ import annotations

import types
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Message:
    """A message box that the code opened."""

    level: str  # "info", "warning", "error"
    text: str
    title: str
    confirmation: bool
    details: str = ""


@dataclass
class Dialogs:
    """Records message boxes instead of opening them; `answers` says what the user will click.

    An answer is True (OK, Yes, Retry) or False; without one the user says True.
    """

    shown: list[Message] = field(default_factory=list)
    answers: list[bool] = field(default_factory=list)
    interactive: bool = False  # the demo opens real boxes

    def clear(self):
        self.shown.clear()
        self.answers.clear()

    def texts(self, level: str | None = None) -> list[str]:
        return [m.text for m in self.shown if level in (None, m.level)]

    def install(self, util):
        import logging

        real = util.messageBox

        def display(
            level, text, _testing, mainWindowNeeded=False, parent=None, windowTitle=None, **k
        ):
            if self.interactive:
                return real(text, parent=parent, windowTitle=windowTitle or "", **k)
            buttons = k.get("standardButtons")
            choices = [] if buttons is None else _choices(buttons)
            name = logging.getLevelName(level).lower()
            confirmation = len(choices) > 1
            details = k.get("detailedText") or ""
            self.shown.append(Message(name, text, windowTitle or "", confirmation, details))
            accepted = self.answers.pop(0) if confirmation and self.answers else True
            return choices[0 if accepted else -1] if choices else None

        def box(text, parent=None, **k):
            return display(logging.INFO, text, True, parent=parent, **k)

        util._messageDisplay, util.messageBox = display, box


def _choices(buttons) -> list:
    """The buttons, the accepting one first."""
    from PySide6.QtWidgets import QMessageBox

    kinds = QMessageBox.StandardButton
    order = (kinds.Ok, kinds.Yes, kinds.Retry, kinds.Save, kinds.No, kinds.Cancel, kinds.Close)
    return [b for b in order if buttons & b]


@dataclass
class Pip:
    """Records what the code would have installed; the question goes to `dialogs`, as in Slicer.

    Every package counts as installed but those named in `missing`.
    """

    installed: list[list[str]] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)

    def clear(self):
        self.__init__()

    def install(self, requirements, *_, **__):
        wanted = requirements.split() if isinstance(requirements, str) else list(requirements)
        self.installed.append([str(r) for r in wanted])
        self.missing -= {_name(r) for r in wanted}

    def check(self, requirements) -> bool:
        wanted = requirements.split() if isinstance(requirements, str) else requirements
        wanted = wanted if isinstance(wanted, list) else [wanted]
        return not any(_name(r) in self.missing for r in wanted)

    def ensure(self, requirements, *_, prompt_install=True, requester=None, **__):
        import slicer

        wanted = requirements.split() if isinstance(requirements, str) else requirements
        wanted = wanted if isinstance(wanted, list) else [wanted]
        lacking = [r for r in wanted if not self.check(r)]
        if not lacking:
            return
        question = f"{len(lacking)} Python packages need to be installed. Continue?"
        names = "\n".join(f"- {r}" for r in lacking)
        if prompt_install and not slicer.util.confirmOkCancelDisplay(
            question, f"{requester} - Install Python Packages", detailedText=names
        ):
            raise RuntimeError("User declined package installation")
        self.install(lacking)

    def module(self) -> types.ModuleType:
        packaging = types.ModuleType("slicer.packaging", "Records; installs nothing.")
        packaging.load_requirements = load_requirements
        packaging.pip_install = self.install
        packaging.pip_check = self.check
        packaging.pip_ensure = self.ensure
        return packaging


def _name(requirement) -> str:
    from packaging.requirements import Requirement

    return Requirement(str(requirement)).name


def load_requirements(path) -> list:
    from packaging.requirements import Requirement

    lines = (line.split("#")[0].strip() for line in Path(path).read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def make_i18n() -> types.ModuleType:
    i18n = types.ModuleType("slicer.i18n", "Texts stay English.")
    i18n.tr = lambda text: text
    i18n.translate = lambda context, text: text
    return i18n


def make_sample_data() -> types.ModuleType:
    """`import SampleData`: keeps what modules register in SampleDataLogic.sources."""
    module = types.ModuleType("SampleData")

    class SampleDataLogic:
        categories: dict[str, str] = {}  # noqa: RUF012
        sources: list[dict] = []  # noqa: RUF012

        @staticmethod
        def registerCustomSampleDataCategory(category, title=None):
            SampleDataLogic.categories[category] = title or category

        @staticmethod
        def registerCustomSampleDataSource(category="Custom", sampleName=None, **source):
            SampleDataLogic.sources.append(
                {"category": category, "sampleName": sampleName, **source}
            )

        @staticmethod
        def isSampleDataSourceRegistered(category, source):
            return any(s["category"] == category for s in SampleDataLogic.sources)

    def download_sample(name):
        """Run the registered source's own function: the host downloads nothing."""
        source = next(s for s in SampleDataLogic.sources if s["sampleName"] == name)
        return source["customDownloader"](types.SimpleNamespace(**source))

    module.SampleDataLogic = SampleDataLogic
    module.downloadSample = download_sample
    return module

"""Parts of Slicer that a test wants to read or answer: messages, pip, sample data, translation."""

from __future__ import annotations

import logging
import types
from dataclasses import dataclass, field
from pathlib import Path

import slicer
from packaging.requirements import Requirement
from PySide6.QtWidgets import QApplication, QMessageBox


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

    An answer is True (OK, Yes, Retry), False (No, Cancel), or a button (qt.QMessageBox.No); without
    one the user says True.
    """

    shown: list[Message] = field(default_factory=list)
    answers: list = field(default_factory=list)
    interactive: bool = False  # the demo opens real boxes

    def clear(self):
        self.shown.clear()
        self.answers.clear()

    def texts(self, level: str | None = None) -> list[str]:
        return [m.text for m in self.shown if level in (None, m.level)]

    def install(self, util):
        """Take the place of slicer.util's two ways to a message box."""

        def display(level, text, _testing, mainWindowNeeded=False, windowTitle=None, **options):
            name = logging.getLevelName(level).lower()
            return self._open(name, text, windowTitle or "", options)

        def box(text, parent=None, windowTitle=None, **options):
            return self._open("info", text, windowTitle or "", options)

        util._messageDisplay, util.messageBox = display, box

    def _open(self, level: str, text: str, title: str, options: dict):
        choices = _choices(options.get("standardButtons"))
        details = options.get("detailedText") or ""
        self.shown.append(Message(level, text, title, len(choices) > 1, details))
        if self.interactive:
            return _ask(text, title, options)
        accepted = self.answers.pop(0) if len(choices) > 1 and self.answers else True
        return accepted if accepted in choices else choices[0 if accepted else -1]


def _choices(buttons) -> list:
    """The buttons, the accepting one first."""
    kinds = QMessageBox.StandardButton
    order = (kinds.Ok, kinds.Yes, kinds.Retry, kinds.Save, kinds.No, kinds.Cancel, kinds.Close)
    return [b for b in order if buttons is not None and buttons & b] or [kinds.Ok]


def _ask(text: str, title: str, options: dict):
    box = QMessageBox(options.get("parent") or QApplication.activeWindow())
    box.setText(text)
    box.setWindowTitle(title)
    box.setDetailedText(options.get("detailedText") or "")
    if options.get("icon") is not None:
        box.setIcon(options["icon"])
    if options.get("standardButtons") is not None:
        box.setStandardButtons(options["standardButtons"])
    return QMessageBox.StandardButton(box.exec())


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
        wanted = _listed(requirements)
        self.installed.append(wanted)
        self.missing -= {Requirement(r).name for r in wanted if not r.startswith("-")}

    def check(self, requirements) -> bool:
        return not any(Requirement(r).name in self.missing for r in _listed(requirements))

    def ensure(self, requirements, *_, prompt_install=True, requester=None, **__):
        lacking = [r for r in _listed(requirements) if not self.check(r)]
        if not lacking:
            return
        question = f"{len(lacking)} Python packages need to be installed. Continue?"
        title = f"{requester} - Install Python Packages"
        names = "\n".join(f"- {r}" for r in lacking)
        if prompt_install and not slicer.util.confirmOkCancelDisplay(
            question, title, detailedText=names
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


def _listed(requirements) -> list[str]:
    if isinstance(requirements, str):
        return requirements.split()
    return [str(r) for r in requirements] if isinstance(requirements, list) else [str(requirements)]


def load_requirements(path) -> list:
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
            # Slicer takes no source without an address and a file, though it were never fetched.
            if not isinstance(source.get("uris"), str):
                raise TypeError("object of type 'NoneType' has no len()")
            for name in ("uris", "fileNames", "nodeNames"):
                source[name] = [source.get(name)]
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

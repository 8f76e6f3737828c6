"""The Python packages that grading needs: what is missing, and installing it after asking."""

from __future__ import annotations

import logging
import subprocess
from importlib import metadata
from pathlib import Path

import slicer
from packaging.requirements import Requirement
from slicer.i18n import tr as _

from MotionQALib.error_text import reason

REQUIREMENTS = Path(__file__).resolve().parents[1] / "Resources" / "MotionQA-requirements.txt"
REQUESTER = "MotionQA"

TORCH = ("torch", "torchvision")
"""What the PyTorch extension installs, both at once; one's build must fit the other's."""

FAILURES = (RuntimeError, ValueError, OSError, ImportError, subprocess.CalledProcessError)
"""Ways of installing to fail; the PyTorch extension imports what it has installed."""

_installing = False


def required(path: Path = REQUIREMENTS) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in path.read_text("utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def missing(path: Path = REQUIREMENTS) -> list[Requirement]:
    """What is not installed or too old; nothing is imported to find out."""
    return [requirement for requirement in required(path) if not _satisfied(requirement)]


def missing_sentence(lacking: list[Requirement]) -> str:
    text = _("These Python packages are missing: {names}. Assess motion offers to install them.")
    return text.format(names=names_of(lacking))


def names_of(requirements: list[Requirement]) -> str:
    return ", ".join(requirement.name for requirement in requirements)


def ensure(path: Path = REQUIREMENTS) -> str | None:
    """Ask once for all that is missing, and install it.

    Returns
    -------
    None when everything is there, else a sentence for the user that says why it is not.
    """
    global _installing
    if _installing:  # Slicer's window answers while pip runs, and its buttons, too
        return _("Python packages are being installed; wait until that is done.")
    lacking = missing(path)
    if not lacking:
        return None
    _installing = True
    try:
        if not _agreed(lacking):
            text = _("Not installed, as you chose: {names}. MotionQA cannot do this without them.")
            return text.format(names=names_of(lacking))
        _install(lacking)
    except FAILURES as error:
        logging.exception("MotionQA: installing packages failed")
        text = _("Installing {names} failed ({reason}); is the internet reachable?")
        return text.format(names=names_of(lacking), reason=reason(error))
    finally:
        _installing = False
    still = missing(path)
    if still:
        text = _("Still missing after installing: {names}; see Slicer's log.")
        return text.format(names=names_of(still))
    return None


def _agreed(lacking: list[Requirement]) -> bool:
    text = _(
        "MotionQA needs these Python packages, which will be installed into Slicer's Python:\n\n"
        "{names}\n\nThis needs the internet and may take some minutes. Install them now?"
    )
    names = "\n".join(f"• {requirement}" for requirement in lacking)
    if any(requirement.name in TORCH for requirement in lacking) and _torch_utils() is None:
        text += _(
            "\n\nThe PyTorch extension, in the Extensions Manager, would choose the torch that "
            "fits this computer's graphics card; without it, the usual one is installed."
        )
    title = _("MotionQA: install Python packages")
    return bool(slicer.util.confirmOkCancelDisplay(text.format(names=names), title))


def _install(lacking: list[Requirement]) -> None:
    """torch first: the others would bring a build of it that may not fit the computer."""
    extension = _torch_utils()
    torch = {r.name: str(r.specifier) for r in lacking if r.name in TORCH}
    if torch and extension is not None:
        # Where only torchvision is missing, the one that fits the torch that is there.
        wanted = torch.get("torch") or f"=={metadata.version('torch').partition('+')[0]}"
        logic = extension.PyTorchUtilsLogic()
        if logic.installTorch(askConfirmation=False, torchVersionRequirement=wanted) is None:
            raise RuntimeError(_("the PyTorch extension could not install torch"))
        lacking = [requirement for requirement in lacking if requirement.name not in TORCH]
    packaging = _slicer_packaging()
    if not lacking:
        return
    if packaging is not None:
        packaging.pip_ensure(lacking, prompt_install=False, requester=REQUESTER)
    else:
        slicer.util.pip_install([str(requirement) for requirement in lacking])


def _satisfied(requirement: Requirement) -> bool:
    packaging = _slicer_packaging()
    if packaging is not None:
        return bool(packaging.pip_check(requirement))
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return False
    return requirement.specifier.contains(version, prereleases=True)


def _slicer_packaging():
    """Slicer's own way since 5.12, or None."""
    try:
        import slicer.packaging
    except ImportError:
        return None
    return slicer.packaging


def _torch_utils():
    """The PyTorch extension's module, or None."""
    try:
        import PyTorchUtils
    except ImportError:
        return None
    return PyTorchUtils

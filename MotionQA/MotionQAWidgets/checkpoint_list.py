"""The checkpoints to choose from, and what their cards say, read without torch.

`MotionQALib.checkpoints` checks a card and its weights, for which it needs torch; the grading
process does that when it loads them, and says what is wrong. Here a look at the card is enough.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from html import escape
from pathlib import Path

from slicer.i18n import tr as _

from MotionQALib.checkpoints import METADATA_KEY, STARTER, SUFFIX, CheckpointError, folders
from MotionQALib.safetensors_header import read_metadata
from MotionQALib.signals import Signal

changed = Signal()
"""Emitted by whoever adds a checkpoint, so that it is listed at once."""

LEFT_OUT = ".unlisted"
"""Suffix of an empty file beside a checkpoint that is not to be offered."""


@dataclass(frozen=True)
class Choice:
    """A checkpoint; ``reference`` is its name in the catalogue or its file."""

    reference: str
    card: dict

    @property
    def title(self) -> str:
        return str(self.card.get("title") or self.card.get("name") or self.reference)


def installed() -> list[Choice]:
    """What `MotionQALib.checkpoints.catalogue` lists and is not left out, the starter first."""
    found: dict[str, Choice] = {}
    for folder in folders():
        for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
            if not is_listed(path):
                continue
            try:
                found.setdefault(path.stem, Choice(path.stem, read_card(path)))
            except CheckpointError:
                continue
    return sorted(found.values(), key=lambda c: (c.reference != STARTER, c.reference))


def is_listed(path: Path) -> bool:
    """Whether a checkpoint in one of the catalogue's folders is offered."""
    return not path.with_suffix(LEFT_OUT).exists()


def leave_out(path: Path) -> None:
    """Do not offer a checkpoint any more; it can still be loaded from its file."""
    path.with_suffix(LEFT_OUT).touch()
    changed.emit()


def list_again(path: Path) -> None:
    """Offer a checkpoint, and have it listed at once."""
    path.with_suffix(LEFT_OUT).unlink(missing_ok=True)
    changed.emit()


def of_file(path: str | Path) -> Choice:
    """A checkpoint from elsewhere; CheckpointError says in a sentence why it is none."""
    return Choice(str(path), read_card(Path(path)))


def read_card(path: Path) -> dict:
    """The card in a checkpoint's header, unchecked; CheckpointError where there is none."""
    try:
        card = json.loads(read_metadata(path)[METADATA_KEY])
    except OSError as error:
        text = _("{path} cannot be read ({reason}).")
        raise CheckpointError(text.format(path=path, reason=error.strerror)) from None
    except (ValueError, KeyError, TypeError):
        text = _("{path} is no MotionQA checkpoint: choose a {suffix} file that MotionQA trained.")
        raise CheckpointError(text.format(path=path, suffix=SUFFIX)) from None
    if not isinstance(card, dict) or "backbone" not in card:
        text = _("{path} carries a damaged card; train or export it again.")
        raise CheckpointError(text.format(path=path))
    return card


def card_html(card: dict) -> str:
    """What a user should know of a checkpoint before trusting it, beside its notice: rich text."""
    training = card.get("training") if isinstance(card.get("training"), dict) else {}
    rated = card.get("motion") == "rated"
    motion = _("rated by radiologists") if rated else _("simulated")
    rows = [
        (_("Network"), card["backbone"]),
        (_("Training data"), training.get("data")),
        (_("Motion"), motion),
        (_("Subjects"), _named(training.get("subjects"))),
        (_("On subjects never seen"), _metrics(card.get("metrics"))),
        (_("Licence"), card.get("licence")),
    ]
    return "<br>".join(f"<b>{escape(name)}:</b> {escape(str(text))}" for name, text in rows if text)


def _named(counts) -> str:
    if not isinstance(counts, dict):
        return ""
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _metrics(metrics) -> str:
    if not isinstance(metrics, dict):
        return ""
    shown = {  # of the card's many
        "volume_accuracy": _("accuracy of volumes' grades"),
        "volume_linear_kappa": _("κ (linear weights)"),
        "volume_severe_auc": _("AUC of severe"),
        "volume_score_mae": _("mean error of the score"),
    }
    told = []
    for name, label in shown.items():
        value = metrics.get(name)
        if isinstance(value, list) and len(value) == 3:
            told.append("{} {:.2f} ({:.2f}–{:.2f})".format(label, *value))
        elif isinstance(value, int | float):
            told.append(f"{label} {value:.2f}")
    return ", ".join(told)

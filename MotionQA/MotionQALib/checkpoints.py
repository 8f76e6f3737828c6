"""Checkpoints: one .safetensors file each, whose metadata is the card.

Nothing is ever unpickled: a checkpoint from elsewhere holds numbers and text, and no code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .checkpoint_tensors import tensor_fault
from .error_text import first_line
from .plain_text import plain
from .safetensors_header import read_metadata
from .scale import SCALE_VERSION
from .volume_rule import VolumeRule
from .whole_files import write_whole

if TYPE_CHECKING:
    import torch

    from .preprocessing import Preprocessing

FORMAT_VERSION = 1
STARTER = "motionqa-starter"
SUFFIX = ".safetensors"
METADATA_KEY = "motionqa"

NOTICE = "not a medical device"
SIMULATED_NOTICE = (
    "trained on simulated motion; not calibrated on radiologists' scores; not a medical device"
)


class CheckpointError(ValueError):
    """A file that is no usable checkpoint; the message names the file and says why."""


@dataclass(frozen=True)
class Card:
    """What a checkpoint says about itself.

    Parameters
    ----------
    name, title : short name of the catalogue, line shown to the user
    backbone : one of `backbones.BACKBONES`
    preprocessing : settings of `preprocessing.Preprocessing`
    volume_rule : settings of `volume_rule.VolumeRule`
    temperature : divides the logits before the softmax
    uncertain_above : a slice whose 1 - P(reported grade) exceeds this is called uncertain
    volume_uncertain_above : the same of a volume; None: as of a slice
    severe_above : a slice that is not graded severe is called uncertain where its P(severe)
        exceeds this; 1: never for that alone
    volume_severe_above : the same of a volume; None: as of a slice
    motion : "simulated" or "rated" (by radiologists)
    training : data, its licence, subject counts, settings: free text and numbers
    metrics : name -> [value, low, high] (95 % interval) on subjects never trained on
    """

    name: str
    title: str
    backbone: str
    preprocessing: dict[str, Any]
    volume_rule: dict[str, Any] = field(default_factory=lambda: VolumeRule().to_dict())
    temperature: float = 1.0
    uncertain_above: float = 0.5
    volume_uncertain_above: float | None = None
    severe_above: float = 1.0
    volume_severe_above: float | None = None
    motion: str = "simulated"
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    notice: str = SIMULATED_NOTICE
    scale: str = SCALE_VERSION
    format_version: int = FORMAT_VERSION

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Card:
        """Rebuild and check a card; ValueError with the reason where it cannot be used."""
        try:
            content = json.loads(text)
        except (json.JSONDecodeError, RecursionError):
            raise ValueError("its card is not valid JSON") from None
        if not isinstance(content, dict):
            raise ValueError("its card is not a JSON object")
        version = content.get("format_version")
        if not isinstance(version, int):
            raise ValueError("its card names no format version")
        if version > FORMAT_VERSION:
            raise ValueError(
                f"it is of format {version}, newer than this MotionQA reads ({FORMAT_VERSION}); "
                "update MotionQA"
            )
        texts = {item.name for item in fields(cls) if item.type == "str"}
        for name in sorted(texts & set(content)):
            if not isinstance(content[name], str):
                raise ValueError(f"its {name} is no text")
            content[name] = plain(content[name])  # it is shown in terminals and panels
        known = {item.name for item in fields(cls)}
        missing = {"name", "backbone", "preprocessing"} - set(content)
        if missing:
            raise ValueError(f"its card lacks {', '.join(sorted(missing))}")
        content.setdefault("title", content["name"])
        card = cls(**{key: value for key, value in content.items() if key in known})
        card._check()
        return card

    def _check(self) -> None:
        from . import backbones

        if self.scale != SCALE_VERSION:
            raise ValueError(f"it grades on another scale ({self.scale})")
        backbones.get(self.backbone)
        for name in (
            "temperature", "uncertain_above", "severe_above",
            "volume_uncertain_above", "volume_severe_above",
        ):  # fmt: skip
            value = getattr(self, name)
            if value is None and name.startswith("volume_"):
                continue
            if not isinstance(value, (int, float)) or not 0 < value < 1e6:
                raise ValueError(f"its {name} is {value!r}, not a positive number")
        if not 0.01 <= self.temperature <= 100:
            raise ValueError(f"its temperature is {self.temperature!r}, not 0.01 to 100")
        for name in ("training", "metrics"):
            if not isinstance(getattr(self, name), Mapping):
                raise ValueError(f"its {name} is no table")
        self.network_input  # noqa: B018  both raise ValueError on settings that do not fit
        self.rule  # noqa: B018

    @property
    def network_input(self) -> Preprocessing:
        from .preprocessing import Preprocessing

        try:
            return Preprocessing.from_dict(self.preprocessing)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"its preprocessing does not fit: {error}") from None

    @property
    def rule(self) -> VolumeRule:
        try:
            return VolumeRule.from_dict(self.volume_rule)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"its rule from slices to volume does not fit: {error}") from None


@dataclass(frozen=True)
class CatalogueEntry:
    """One line of the catalogue."""

    name: str
    path: Path
    card: Card


def save(path: str | Path, model: torch.nn.Module, card: Card, *, half: bool = True) -> None:
    """Write weights and card to ``path``, whole or not at all; fp16 unless ``half`` is False."""
    import torch

    path = Path(path)
    dtype = torch.float16 if half else torch.float32
    tensors = {
        key: (value.to(dtype) if value.is_floating_point() else value).cpu().contiguous().clone()
        for key, value in model.state_dict().items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    _write(path, tensors, card)


def update_card(path: str | Path, card: Card) -> None:
    """Write ``card`` in place of the one at ``path``; the tensors stay to the bit."""
    from safetensors.torch import load_file

    _write(Path(path), load_file(str(path)), card)


def _write(path: Path, tensors: dict[str, torch.Tensor], card: Card) -> None:
    from safetensors.torch import save as packed

    # Written here and not by safetensors, which would keep other users from reading it.
    write_whole(path, packed(tensors, metadata={METADATA_KEY: card.to_json()}))


def read_card(path: str | Path) -> Card:
    """Read a checkpoint's card, not its tensors; CheckpointError says why where it cannot."""
    path = Path(path)
    try:
        metadata = read_metadata(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: there is no such checkpoint file.") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not a checkpoint, or a damaged one ({first_line(error)}); MotionQA reads "
            f"{SUFFIX} files with a card, and never pickled ones (.pth, .pt)."
        ) from None
    if METADATA_KEY not in metadata:
        raise CheckpointError(
            f"{path}: these weights carry no MotionQA card; train or export them with MotionQA."
        )
    try:
        return Card.from_json(metadata[METADATA_KEY])
    except ValueError as error:
        raise CheckpointError(
            f"{path}: this checkpoint cannot be used: {_sentence(error)}"
        ) from None


def load(path: str | Path) -> tuple[Card, torch.nn.Module]:
    """Read a checkpoint: its card, and its network in eval mode with float32 weights on the CPU.

    Where the checkpoint can tell what it was not trained for, the network has a ``familiarity``
    (`familiarity.Familiarity`).

    Raises CheckpointError where the tensors are not those of the backbone that the card names.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from . import backbones
    from .familiarity import Familiarity

    card = read_card(path)
    try:
        tensors = load_file(str(path))
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: the weights are damaged ({first_line(error)}).") from None
    try:
        model, _ = backbones.create(card.backbone, size=card.network_input.size)
    except (AssertionError, RuntimeError, ValueError) as error:
        raise CheckpointError(
            f"{path}: {card.backbone} cannot be built for the size that its card gives "
            f"({first_line(error)})."
        ) from None
    familiarity = Familiarity.of_tensors(tensors)
    if familiarity is not None:
        model.familiarity = familiarity
    expected = model.state_dict()
    if fault := tensor_fault(tensors, expected):
        raise CheckpointError(f"{path}: {card.backbone} cannot take these weights: {fault}.")
    model.load_state_dict({key: value.to(expected[key].dtype) for key, value in tensors.items()})
    return card, model.eval()


def folders() -> list[Path]:
    """Where checkpoints are looked for: the shipped ones, then the user's own.

    ``MOTIONQA_CHECKPOINTS`` names the user's folder; by default ~/.motionqa/checkpoints.
    """
    package = Path(__file__).resolve().parent
    # In a wheel the resources lie inside the package; in the sources and in Slicer beside it.
    shipped = (package / "Resources", package.parent / "Resources")
    return [folder / "Checkpoints" for folder in shipped] + [user_folder()]


def user_folder() -> Path:
    named = os.environ.get("MOTIONQA_CHECKPOINTS")
    return Path(named) if named else Path.home() / ".motionqa" / "checkpoints"


def catalogue() -> list[CatalogueEntry]:
    """Every usable checkpoint in `folders`, the starter first; damaged files are left out."""
    found: dict[str, CatalogueEntry] = {}
    for folder in folders():
        for path in sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else ():
            try:
                found.setdefault(path.stem, CatalogueEntry(path.stem, path, read_card(path)))
            except CheckpointError:
                continue
    return sorted(found.values(), key=lambda entry: (entry.name != STARTER, entry.name))


def resolve(checkpoint: str | Path) -> Path:
    """Path of a checkpoint given by its name in the catalogue or by its file."""
    path = Path(checkpoint)
    if path.suffix == SUFFIX or path.is_file():
        return path
    names = []
    for folder in folders():
        candidate = folder / f"{checkpoint}{SUFFIX}"
        if candidate.is_file():
            return candidate
        names += [file.stem for file in sorted(folder.glob(f"*{SUFFIX}"))]
    known = ", ".join(names) if names else "none is installed"
    raise CheckpointError(
        f"{checkpoint}: neither a checkpoint file nor a name in the catalogue ({known})."
    )


def _sentence(error: Exception) -> str:
    text = str(error).strip()
    return text if text.endswith(".") else f"{text}."

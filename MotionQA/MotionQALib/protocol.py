"""What Slicer and the worker say to each other.

One message a line: a JSON object whose ``type`` is the message's name and whose other members are
its fields. Plain Python, so that Slicer's side can read it without torch.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, get_type_hints

VERSION = 2
"""Rises with every change that an older side would misunderstand."""

LONGEST_LINE = 64 * 2**20
"""Bytes; a line beyond it is no message. A cine of 1,000 slices takes a hundredth of that."""


class ProtocolError(ValueError):
    """A line that is no message; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """The base of all messages; its subclasses register themselves by their names."""

    kinds: ClassVar[dict[str, type[Message]]] = {}

    def __init_subclass__(cls) -> None:
        Message.kinds[cls.__name__] = cls

    def encode(self) -> bytes:
        """One line, ASCII, whatever the names and paths in it."""
        content = {"type": type(self).__name__, **vars(self)}
        return json.dumps(content, allow_nan=False).encode("ascii") + b"\n"


# Requests --------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Load(Message):
    """Make a checkpoint, a name or a file, ready; answered by `Loaded`."""

    id: int
    checkpoint: str
    device: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Assess(Load):
    """Grade a volume; answered by `Result`.

    ``voxels`` names an .npy file of (frames, slices, rows, columns), which the worker deletes as
    soon as it can; ``spacing`` is in mm: between slices, rows, columns; ``remarks`` are sentences
    about how the volume was read. The checkpoint is loaded first where it is not.
    """

    voxels: str
    spacing: list
    name: str
    source: str | None = None
    identity: str | None = None
    remarks: list = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Explain(Assess):
    """Relevance maps of slices, counted through all frames; answered by `Explained`.

    They are written to ``output``, an .npy file of (slices asked for, rows, columns) float32.
    """

    positions: list
    output: str


@dataclass(frozen=True, kw_only=True)
class Cancel(Message):
    """Stop the request of that id, between two batches, or before it begins."""

    id: int


@dataclass(frozen=True, kw_only=True)
class Ping(Message):
    """Answered by `Pong` at once, even while grading."""

    id: int


@dataclass(frozen=True, kw_only=True)
class Quit(Message):
    """End at once; the end of the input means the same."""


# Events ----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Ready(Message):
    """The worker has started and reads requests; torch is imported next."""

    protocol: int
    pid: int
    python: str


@dataclass(frozen=True, kw_only=True)
class Device(Message):
    """Where it computes and, in a sentence, why; sent whenever that changes."""

    device: str
    reason: str
    precision: str | None = None


@dataclass(frozen=True, kw_only=True)
class Loaded(Message):
    """A checkpoint was loaded, with its card."""

    id: int
    checkpoint: str
    device: str
    card: dict


@dataclass(frozen=True, kw_only=True)
class Progress(Message):
    """Slices done, of how many."""

    id: int
    done: int
    total: int


@dataclass(frozen=True, kw_only=True)
class Result(Message):
    """An assessment as `Assessment.to_dict` gives it."""

    id: int
    assessment: dict


@dataclass(frozen=True, kw_only=True)
class Explained(Message):
    """The relevance maps are in the file ``output``."""

    id: int
    output: str


@dataclass(frozen=True, kw_only=True)
class RequestCancelled(Message):
    id: int


@dataclass(frozen=True, kw_only=True)
class Failed(Message):
    """A request, or where ``id`` is None a line that is none, failed; a sentence for the user.

    ``missing`` names the package that is not installed, where that is the cause.
    """

    id: int | None
    sentence: str
    missing: str | None = None


@dataclass(frozen=True, kw_only=True)
class Pong(Message):
    id: int


def decode(line: bytes) -> Message:
    """The message of a line; fields that a later version added are ignored.

    Raises
    ------
    ProtocolError : the line is no message, or one of its fields is missing or of another type
    """
    try:
        content = json.loads(line)
    except (ValueError, RecursionError):  # not UTF-8 and not JSON are both ValueErrors
        raise ProtocolError(f"This is no JSON: {line[:80]!r}.") from None
    name = content.get("type") if isinstance(content, dict) else None
    kind = Message.kinds.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ProtocolError(f"This is no message that version {VERSION} knows: {line[:80]!r}.")
    types = get_type_hints(kind)
    values = {f.name: content[f.name] for f in fields(kind) if f.name in content}
    for key, value in values.items():
        if not isinstance(value, types[key]):
            raise ProtocolError(f"The field {key} of {name} is {value!r:.80}.")
    return _made(kind, values)


def _made(kind: type[Message], values: dict[str, Any]) -> Message:
    try:
        return kind(**values)
    except TypeError as error:
        raise ProtocolError(f"A field is missing: {error}.") from None

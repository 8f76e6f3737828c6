"""A C-STORE provider that answers *success* only for what is on disk and can be read."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

from pydicom import dcmread
from pydicom.pixels import get_decoder
from pydicom.uid import (
    EnhancedMRImageStorage,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    LegacyConvertedEnhancedMRImageStorage,
    MRImageStorage,
    RLELossless,
)
from pynetdicom import AE, _config, evt
from pynetdicom.sop_class import Verification

from ..arrivals.image_facts import ImageFacts
from .guarded_server import GuardedSocket, guarded
from .listener_settings import ListenerSettings
from .object_store import NoRoom, ObjectStore, revision_of

IMAGES = (MRImageStorage, EnhancedMRImageStorage, LegacyConvertedEnhancedMRImageStorage)
"""Kinds of objects that are taken: others are refused when the peer proposes them."""

PLAIN = (ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian)
# Deflated objects are left out: a few kilobytes may inflate to more than any memory.
PACKED = (RLELossless, JPEGLosslessSV1, JPEG2000Lossless, JPEGLSLossless)

MOST_FRAMES = 20_000
"""Of one object: each takes memory while its series is kept in mind, and a cine has hundreds."""

SUCCESS, NO_RESOURCES, NOT_MATCHING, NOT_UNDERSTOOD = 0x0000, 0xA700, 0xA900, 0xC000


SAY_AGAIN = 60.0
"""Seconds before a peer that is turned away again and again is said so once more."""


class ReceiverError(RuntimeError):
    """The listener cannot be started; the message says why."""


class Receiver:
    """Listens until `stop`; in threads of its own.

    Parameters
    ----------
    store : where objects go
    arrived : called in any thread, with each object that is on disk
    say : called in any thread, with sentences about what was refused; they name no patient
    identify : as in `ImageFacts.of`

    Raises
    ------
    ReceiverError : the address cannot be listened at
    """

    def __init__(
        self,
        settings: ListenerSettings,
        store: ObjectStore,
        arrived: Callable[[ImageFacts], None],
        say: Callable[[str], None],
        identify: bool = False,
    ) -> None:
        self._identify = identify
        self._store, self._arrived, self._say = store, arrived, say
        self._settings = settings
        self._rejection = "", 0.0
        # Its own log would repeat what peers send, names among it.
        _config.LOG_HANDLER_LEVEL = "none"
        logger = logging.getLogger("pynetdicom")
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
        try:
            self._server = self._application(settings).make_server(
                (settings.host, settings.port),
                evt_handlers=[
                    (evt.EVT_C_STORE, self._take),
                    (evt.EVT_DIMSE_SENT, _complete),
                    (evt.EVT_ESTABLISHED, _agreed),
                    (evt.EVT_CONN_CLOSE, _complete),
                    (evt.EVT_REJECTED, self._rejected),
                ],
                server_class=guarded(settings, say),
            )
        except OSError as error:
            raise ReceiverError(
                f"Nothing can listen at {settings.host}, port {settings.port} "
                f"({error.strerror or error}); name another with --host or --port."
            ) from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.1,), name="listener", daemon=True
        )
        self._thread.start()

    @staticmethod
    def _application(settings: ListenerSettings) -> AE:
        entity = AE(ae_title=settings.title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(settings.callers)
        entity.maximum_associations = settings.most_associations
        entity.acse_timeout = entity.dimse_timeout = settings.stalled
        entity.network_timeout = 2 * settings.stalled
        readable = [syntax for syntax in PACKED if get_decoder(syntax).is_available]
        for kind in IMAGES:
            entity.add_supported_context(kind, [*PLAIN, *readable])
        entity.add_supported_context(Verification)
        return entity

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def stop(self) -> None:
        """Take no more connections, and end those that are there."""
        self._server.shutdown()
        for association in self._server.active_associations:
            association.abort(block=False)
        self._thread.join(timeout=5)

    def _take(self, event: evt.Event) -> int:
        """Answer one C-STORE; nothing that a peer sends may raise here."""
        try:
            content = event.encoded_dataset()
            facts = facts_of_whole(content, self._identify)
        except Exception:  # parsers raise anything on bytes they did not expect
            self._say("An object was refused: it is damaged, or no image.")
            return NOT_UNDERSTOOD
        if facts.size > self._settings.largest_object or len(facts.frames) > MOST_FRAMES:
            self._say("An object was refused: it unpacks to more than is taken.")
            return NO_RESOURCES
        if facts.instance != str(event.request.AffectedSOPInstanceUID):
            self._say("An object was refused: it is another one than its sender says.")
            return NOT_MATCHING
        try:
            facts = replace(facts, revision=self._revision(facts, content))
            path = self._store.put(facts.series, facts.instance, content, facts.revision)
        except NoRoom as error:
            self._say(f"An object was refused: {error}")
            return NO_RESOURCES
        except OSError as error:
            self._say(f"An object was refused: it could not be stored ({error.strerror}).")
            return NO_RESOURCES
        self._arrived(replace(facts, path=path))
        return SUCCESS

    def _revision(self, facts: ImageFacts, content: bytes) -> int:
        """Of an object that came before: one more where it now shows something else."""
        known = self._store.current(facts.series, facts.instance)
        if known is None:
            return 0
        before = known.read_bytes()
        if before == content:
            return revision_of(known)
        try:
            same = facts_of_whole(before, self._identify) == facts and _pixels(before) == _pixels(
                content
            )
        except Exception:  # the one before has been damaged on the disk
            same = False
        if not same:
            self._say("An image came again with another content; its series is graded anew.")
        return revision_of(known) + (not same)

    def _rejected(self, event: evt.Event) -> None:
        title = "".join(c for c in event.assoc.requestor.ae_title if c.isprintable())
        sentence = (
            f"A connection of {title.strip()} was turned away: its AE title, or the one it called, "
            f"is not among those agreed, or {self._settings.most_associations} are open already."
        )
        said, when = self._rejection
        if sentence == said and time.monotonic() - when < SAY_AGAIN:
            return
        self._rejection = sentence, time.monotonic()
        self._say(sentence)


def facts_of_whole(content: bytes, identify: bool = False) -> ImageFacts:
    """Facts of an object whose pixels are all there; any exception says that they are not."""
    dataset = dcmread(BytesIO(content))
    facts = ImageFacts.of(dataset, identify=identify)
    pixels = dataset.get("PixelData")
    if pixels is None:
        raise ValueError("no pixels")
    if not dataset.file_meta.TransferSyntaxUID.is_compressed:
        samples = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("SamplesPerPixel", 1))
        frames = int(dataset.get("NumberOfFrames") or 1)
        if len(pixels) < samples * frames * int(dataset.BitsAllocated) // 8:
            raise ValueError("pixels are missing")
    return facts


def _pixels(content: bytes) -> bytes:
    return dcmread(BytesIO(content)).PixelData


def _complete(event: Any) -> None:
    """Let a connection's limits count anew."""
    held = _guard(event)
    if held is not None:
        held.complete()


def _agreed(event: Any) -> None:
    """Let a connection send objects."""
    held = _guard(event)
    if held is not None:
        held.agreed()


def _guard(event: Any) -> GuardedSocket | None:
    held = getattr(event.assoc.dul.socket, "socket", None)
    return held if isinstance(held, GuardedSocket) else None

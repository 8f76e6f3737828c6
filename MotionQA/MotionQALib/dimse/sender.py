"""Sending reports to a peer by C-STORE."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from .peers import Peer

if TYPE_CHECKING:
    from pynetdicom.association import Association


class NotSent(RuntimeError):  # noqa: N818  that is what is to be known
    """The peer did not take it; the message says why, and it may be tried again."""


def keep_answers(association: Association) -> None:
    """Leave a peer's answers to whoever waits for them.

    Pynetdicom's thread beside an association looks for requests of the peer, is not always seen to
    be paused, and then takes an answer off the queue, so that its sender waits in vain. A sender
    of objects expects no requests.
    """
    get = association.dimse.get_msg
    association.dimse.get_msg = lambda block=False: get(block) if block else (None, None)


def send(file: Path, peer: Peer, title: str, timeout: float = 30.0) -> None:
    """Send one DICOM file.

    Parameters
    ----------
    title : our own AE title
    timeout : seconds for each step

    Raises
    ------
    NotSent
    """
    from pydicom import dcmread
    from pynetdicom import AE, _config

    _config.LOG_HANDLER_LEVEL = "none"
    logger = logging.getLogger("pynetdicom")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    dataset = dcmread(file)
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout
    entity.connection_timeout = timeout
    entity.add_requested_context(dataset.SOPClassUID, dataset.file_meta.TransferSyntaxUID)
    association = entity.associate(peer.host, peer.port, ae_title=peer.title)
    keep_answers(association)
    if not association.is_established:
        refused = association.is_rejected
        reason = "turned the connection away" if refused else "does not answer"
        raise NotSent(f"{peer} {reason}; the report is kept and sent again later.")
    try:
        if not association.accepted_contexts:
            raise NotSent(f"{peer} takes no structured reports; the report is kept.")
        status = association.send_c_store(dataset)
    except ValueError as error:
        raise NotSent(f"{peer} takes no structured reports; the report is kept.") from error
    finally:
        association.release()
    code = status.get("Status")
    if code is None:
        raise NotSent(f"{peer} did not answer; the report is kept and sent again later.")
    if code != 0 and code & 0xF000 != 0xB000:  # 0xB000 and above are warnings: it was stored
        raise NotSent(
            f"{peer} refused the report (status {code:04X}); it is kept and sent again later."
        )

"""Sending to a peer."""

import socket
import time

import pytest

from cine_objects import save, series
from listener import associate

pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")


from MotionQALib.dimse.peers import Peer
from MotionQALib.dimse.sender import NotSent, send


def test_an_answer_is_left_to_who_waits_for_it(room):
    association = associate(room().port)
    association.dimse.msg_queue.put((1, "an answer"))
    time.sleep(0.1)  # the thread beside it looks every millisecond
    assert association.dimse.get_msg(block=True) == (1, "an answer")
    association.release()


def test_sending_says_what_went_wrong(tmp_path, room):
    (path, *_) = save(series(), tmp_path / "out")
    here = room(callers=("FRIEND",))
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match="does not answer"):
            send(path, Peer("PACS", "127.0.0.1", unused.getsockname()[1]), "MOTIONQA", timeout=2)
    with pytest.raises(NotSent, match="turned the connection away"):
        send(path, Peer("MOTIONQA", "127.0.0.1", here.port), "STRANGER")
    send(path, Peer("MOTIONQA", "127.0.0.1", here.port), "FRIEND")
    assert len(here.stored()) == 1

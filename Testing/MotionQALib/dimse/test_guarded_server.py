"""Connections end at their limits, and only they."""

import select
import socket
import struct
import threading
from contextlib import suppress

import pytest

from cine_objects import series
from listener import associate, push, wait_for

pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")


def test_an_object_that_is_too_large_ends_its_connection_only(room):
    here = room(largest_object=10**5)
    (big, *_) = series(size=1200)
    small = series(size=16)
    association = associate(here.port)
    association.send_c_store(big)
    wait_for(lambda: here.said)
    assert "exceeds 0.1 MB" in here.said[0]
    assert push(here.port, small) == [0] * 9


def test_too_much_in_flight_ends_a_connection(room):
    here = room(most_in_flight=10**5)
    associate(here.port).send_c_store(series(size=400)[0])
    wait_for(lambda: here.said)
    assert "too much is being received" in here.said[0]
    assert push(here.port, series(size=16)) == [0] * 9


def test_a_length_that_is_claimed_is_not_believed(room):
    """A header that promises 4 GB takes no memory, and is let go when nothing follows."""
    here = room(stalled=0.5)
    with socket.create_connection(("127.0.0.1", here.port)) as stranger:
        stranger.sendall(struct.pack(">BBL", 4, 0, 0xFFFFFFFF))
        wait_for(lambda: here.said)
    assert "nothing came for 0.5 s" in here.said[0]
    assert push(here.port, series(size=16)) == [0] * 9


def test_little_is_taken_before_titles_are_agreed(room, monkeypatch):
    """An association's request is small; who sends more has no title that was checked."""
    monkeypatch.setattr("MotionQALib.dimse.guarded_server.SLACK", 10**5)
    here = room()
    with socket.create_connection(("127.0.0.1", here.port)) as stranger:
        stranger.sendall(struct.pack(">BBL", 1, 0, 10**9))
        with suppress(OSError):
            for _ in range(30):
                stranger.sendall(bytes(10**4))
        wait_for(lambda: here.said)
    assert "before its titles were agreed" in here.said[0]
    assert push(here.port, series(size=400)) == [0] * 9  # more than that, and agreed


def ended(connection):
    """Whether the other side has closed it."""
    if not select.select([connection], [], [], 0)[0]:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except OSError:
        return True


def test_connections_that_say_nothing_are_few(room, monkeypatch):
    monkeypatch.setattr("MotionQALib.dimse.guarded_server.SILENT", 2)
    here = room(most_associations=1, stalled=4.0)
    silent = [socket.create_connection(("127.0.0.1", here.port)) for _ in range(12)]
    wait_for(lambda: here.said)
    assert here.said == ["Connections are turned away: 3 are open already."]
    wait_for(lambda: sum(map(ended, silent)) >= 9)
    assert sum(map(ended, silent)) == 9
    for one in silent:
        one.close()
    tried = []
    wait_for(lambda: tried.append(associate(here.port)) or tried[-1].is_established)
    assert tried[-1].send_c_store(series(size=16)[0]).Status == 0
    tried[-1].release()


def test_a_peer_that_trickles_is_let_go(room):
    here = room(longest_object=0.6)
    with socket.create_connection(("127.0.0.1", here.port)) as stranger:
        stranger.sendall(struct.pack(">BBL", 1, 0, 5000))
        stop = threading.Event()

        def trickle():
            while not stop.wait(0.05):
                try:
                    stranger.sendall(b"\0")
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        wait_for(lambda: here.said)
        stop.set()
        thread.join()
    assert "took more than 0.6 s" in here.said[0]

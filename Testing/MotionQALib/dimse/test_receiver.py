"""The listener: what it takes, what it refuses, and what it says."""

import select
import shutil
import socket
import struct
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cine_objects import identifying_words, save, series
from processes import SOON

pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE

from MotionQALib.dimse.listener_settings import ListenerSettings
from MotionQALib.dimse.object_store import ObjectStore, digest
from MotionQALib.dimse.peers import Peer, PeerError
from MotionQALib.dimse.receiver import Receiver, ReceiverError, facts_of_whole
from MotionQALib.dimse.sender import NotSent, keep_answers, send


class Room:
    """A listener on a port of its own, and what it got and said."""

    def __init__(self, folder, **options):
        self.arrived, self.said = [], []
        free = options.pop("free_space", 0)
        self.store = ObjectStore(folder, free)
        self.receiver = Receiver(
            ListenerSettings(**{"port": 0, "stalled": 20.0, **options}),
            self.store,
            self.arrived.append,
            self.said.append,
        )
        self.port = self.receiver.port

    def stored(self):
        return [path for path in self.store.folder.rglob("*") if path.is_file()]


@pytest.fixture
def room(tmp_path):
    made = []

    def make(**options):
        made.append(Room(tmp_path / "incoming", **options))
        return made[-1]

    yield make
    for one in made:
        one.receiver.stop()


def associate(port, title="SCANNER", called="MOTIONQA"):
    entity = AE(ae_title=title)
    entity.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", port, ae_title=called)
    keep_answers(association)
    return association


def push(port, images, **options):
    """Send data sets; the statuses that were answered, None where there was no answer."""
    association = associate(port, **options)
    assert association.is_established
    codes = [association.send_c_store(data).get("Status") for data in images]
    association.release()
    return codes


def wait_for(condition, seconds=SOON):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_object_is_on_disk_as_it_was_sent(room):
    here = room()
    images = series()
    assert push(here.port, images) == [0] * 9
    assert len(here.arrived) == 9 and here.said == []
    for facts, sent in zip(here.arrived, images, strict=True):
        kept = dcmread(facts.path)
        assert kept.SOPInstanceUID == sent.SOPInstanceUID and kept.PixelData == sent.PixelData
    assert sorted(here.store.files()) == sorted(facts.path for facts in here.arrived)


def test_an_object_that_comes_again_is_the_same_or_a_new_revision(room, tmp_path):
    from MotionQALib.arrivals.arriving_series import ArrivingSeries

    here = room()
    (data, *_) = series(size=16)
    assert push(here.port, [data, data]) == [0, 0]
    data.PatientName = "Corrected^Name"  # as an archive does: the picture is the same
    assert push(here.port, [data]) == [0]
    assert [facts.revision for facts in here.arrived] == [0, 0, 0] and here.said == []
    assert dcmread(here.stored()[0]).PatientName == "Corrected^Name"
    data.PixelData = bytes(len(data.PixelData))
    assert push(here.port, [data, data]) == [0, 0]
    assert [facts.revision for facts in here.arrived] == [0, 0, 0, 1, 1]
    (path,) = here.stored()
    assert not any(dcmread(path).PixelData) and here.arrived[-1].path == path
    assert "came again with another content" in here.said[0] and len(here.said) == 1
    grown = ArrivingSeries(here.arrived[0].series)
    contents = []
    for facts in here.arrived:
        grown.add(facts)
        contents.append(grown.content)
    assert len(set(contents)) == 2 and contents[2] != contents[3] == contents[4]
    assert ObjectStore(here.store.folder).current(facts.series, facts.instance) == path
    here.store.path_of(facts.series, facts.instance).write_bytes(b"old")  # left by a crash
    assert list(here.store.files()) == here.store.files_of(facts.series) == [path]


def test_the_same_object_in_another_series_is_another_one(room):
    here = room()
    (data, *_) = series(size=16)
    assert push(here.port, [data]) == [0]
    data.SeriesInstanceUID = "1.2.3"
    assert push(here.port, [data]) == [0]
    assert len(here.stored()) == 2 and {facts.revision for facts in here.arrived} == {0}


def test_a_series_is_not_removed_while_an_image_of_it_arrives(tmp_path, monkeypatch):
    store = ObjectStore(tmp_path)
    path = store.put("1", "2", b"x")
    assert not store.remove("1") and path.exists()
    monkeypatch.setattr("MotionQALib.dimse.object_store.BUSY", 0.0)
    assert store.remove("1") and not path.exists()


def test_twenty_scanners_at_once(room):
    here = room()
    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(lambda n: push(here.port, series(seed=n, size=16)), range(20)))
    assert codes == [[0] * 9] * 20
    assert len(here.stored()) == len(here.arrived) == 180
    assert len({path.parent for path in here.stored()}) == 20


def test_one_association_too_many_is_turned_away(room):
    here = room(most_associations=1)
    first = associate(here.port)
    assert associate(here.port).is_rejected
    first.release()
    assert "1 are open already" in here.said[0]


@pytest.mark.parametrize(
    ("title", "called", "taken"),
    [("SCANNER", "MOTIONQA", True), ("STRANGER", "MOTIONQA", False), ("SCANNER", "PACS", False)],
)
def test_titles_are_checked(room, title, called, taken):
    here = room(callers=("SCANNER",))
    association = associate(here.port, title, called)
    assert association.is_established == taken
    if taken:
        association.release()
    else:
        wait_for(lambda: here.said)
        assert "turned away" in here.said[0]


def test_a_peer_that_tries_again_and_again_does_not_fill_the_log(room):
    here = room(callers=("SCANNER",))
    for title in ("STRANGER", "STRANGER", "STRANGER", "OTHER"):
        assert associate(here.port, title).is_rejected
    wait_for(lambda: len(here.said) == 2)
    assert "of STRANGER was" in here.said[0] and "of OTHER was" in here.said[1]


def test_it_listens_to_this_machine_alone_unless_told():
    assert ListenerSettings().host == "127.0.0.1"


def test_a_taken_port_is_said(room):
    here = room()
    with pytest.raises(ReceiverError, match=f"port {here.port}"):
        room(port=here.port)


@pytest.mark.filterwarnings("ignore:Invalid value")
@pytest.mark.parametrize("uid", ["../../etc/passwd", "/tmp/x", "1.2\\..\\3", "a" * 64, "1 2", ".."])
def test_uids_never_become_paths(room, uid):
    here = room()
    (data, *_) = series()
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid
    data.SeriesInstanceUID = uid
    before = set(here.store.folder.parent.rglob("*"))
    push_anyhow(here.port, data)
    new = set(here.store.folder.parent.rglob("*")) - before
    for path in new:
        assert here.store.folder in path.parents
        assert set(path.stem) <= set("0123456789abcdef")


def push_anyhow(port, data):
    association = associate(port)
    try:
        association.send_c_store(data)
    except (ValueError, TypeError):
        pass  # our own peer refuses to send such a thing
    finally:
        association.abort()


def test_names_of_files_are_digests(tmp_path):
    store = ObjectStore(tmp_path)
    path = store.put("../../a", "..\\b\0", b"x")
    assert path == tmp_path / digest("../../a") / f"{digest('..' + chr(92) + 'b' + chr(0))}.dcm"
    assert path.read_bytes() == b"x"


def test_an_object_under_another_uid_is_refused(room):
    here = room()
    (data, *_) = series()
    association = associate(here.port)
    data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    good = data.SOPInstanceUID
    data.SOPInstanceUID = "1.2.3"
    from pynetdicom.dimse_primitives import C_STORE

    request = C_STORE()
    request.MessageID, request.Priority = 1, 2
    request.AffectedSOPClassUID, request.AffectedSOPInstanceUID = MRImageStorage, good
    from pynetdicom.dsutils import encode

    request.DataSet = BytesIO(encode(data, False, True))
    association.dimse.send_msg(request, association.accepted_contexts[0].context_id)
    _, answer = association.dimse.get_msg(block=True)
    association.release()
    assert answer.Status == 0xA900
    assert here.stored() == [] and "another one" in here.said[0]


def test_a_full_disk_is_answered_and_said(room):
    here = room(free_space=10**18)
    assert push(here.port, series()[:1]) == [0xA700]
    assert here.stored() == [] and here.arrived == []
    assert here.said[0].startswith("An object was refused: The disk has ")


def test_a_disk_that_fails_in_the_middle_leaves_nothing(room, monkeypatch):
    here = room()

    def fail(file, data):
        import os

        os.write(file, bytes(data[:100]))
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("MotionQALib.dimse.object_store.write_all", fail)
    assert push(here.port, series()[:1]) == [0xA700]
    assert here.stored() == [] and "No space left" in here.said[0]


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


@pytest.mark.parametrize(
    "claims",
    [{"Rows": 60000, "Columns": 60000}, {"NumberOfFrames": 20001, "Rows": 1, "Columns": 1}],
)
def test_an_object_that_unpacks_to_more_than_is_taken_is_refused(room, claims):
    from pydicom.encaps import encapsulate
    from pydicom.uid import RLELossless

    here = room()
    (data, *_) = series(size=16)
    data.file_meta.TransferSyntaxUID = RLELossless
    data.PixelData = encapsulate([b"\0" * 64 + b"\0\0"])
    data["PixelData"].is_undefined_length = True
    for keyword, value in claims.items():
        setattr(data, keyword, value)
    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MRImageStorage, RLELossless)
    association = entity.associate("127.0.0.1", here.port, ae_title="MOTIONQA")
    keep_answers(association)
    assert association.send_c_store(data).Status == 0xA700
    association.release()
    assert here.stored() == [] and "unpacks to more" in here.said[0]


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


def test_a_peer_that_vanishes_in_the_middle_keeps_what_was_acknowledged(room):
    here = room()
    images = series(size=64)
    association = associate(here.port)
    for data in images[:4]:
        assert association.send_c_store(data).Status == 0
    association.dul.socket.socket.close()
    assert len(here.stored()) == 4
    assert push(here.port, images) == [0] * 9
    assert len(here.stored()) == 9


@pytest.fixture(scope="module")
def encoded():
    stream = BytesIO()
    series(size=16)[0].save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_broken_objects_are_refused_or_whole(encoded, data):
    """Whatever is done to an object's bytes, parsing it ends in facts or in an exception."""
    content = bytearray(encoded)
    for _ in range(data.draw(st.integers(1, 6))):
        start = data.draw(st.integers(132, len(content) - 1))
        piece = data.draw(st.binary(max_size=9))
        content[start : start + data.draw(st.integers(0, 9))] = piece
    cut = data.draw(st.one_of(st.none(), st.integers(0, len(content))))
    try:
        facts = facts_of_whole(bytes(content[:cut]))
    except Exception:
        return
    assert facts.series and facts.instance


@pytest.mark.parametrize("seed", range(6))
def test_the_listener_survives_noise(room, seed):
    here = room(stalled=0.5)
    rng = np.random.default_rng(seed)
    stream = BytesIO()
    series(size=16)[0].save_as(stream, enforce_file_format=True)
    for kind in range(8):
        with socket.create_connection(("127.0.0.1", here.port)) as stranger:
            noise = rng.bytes(int(rng.integers(1, 4000)))
            if kind % 2:
                noise = struct.pack(">BBL", kind, 0, len(noise)) + noise
            stranger.sendall(noise)
    assert push(here.port, series(size=16)) == [0] * 9
    assert here.arrived and len(here.stored()) == 9


@pytest.mark.parametrize("damage", ["pixels cut", "no rows", "no series"])
def test_damaged_objects_are_answered(room, damage):
    here = room()
    (data, *_) = series(size=16)
    if damage == "pixels cut":
        data.PixelData = data.PixelData[:100]
    elif damage == "no rows":
        del data.Rows
    else:
        del data.SeriesInstanceUID
    assert push(here.port, [data]) == [0xC000]
    assert here.stored() == [] and "damaged, or no image" in here.said[0]
    assert push(here.port, series(size=16, seed=1)) == [0] * 9
    assert not any(word in " ".join(here.said).casefold() for word in identifying_words())


def test_dcmtk_sends_to_it(room, tmp_path):
    storescu = shutil.which("storescu")
    if storescu is None:
        pytest.skip("dcmtk's storescu is missing: apt-get install dcmtk")
    here = room()
    save(series(), tmp_path / "out")
    command = [storescu, "-aec", "MOTIONQA", "-aet", "SCANNER", "+sd", "127.0.0.1", str(here.port)]
    done = subprocess.run(
        [*command, str(tmp_path / "out")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert len(here.stored()) == 9
    wrong = [storescu, "-aec", "PACS", "+sd", "127.0.0.1", str(here.port), str(tmp_path / "out")]
    assert subprocess.run(wrong, capture_output=True, timeout=60).returncode != 0


@pytest.mark.parametrize(
    ("text", "peer"),
    [
        ("PACS@10.0.0.5:104", Peer("PACS", "10.0.0.5", 104)),
        ("MY PACS@[::1]:11112", Peer("MY PACS", "::1", 11112)),
    ],
)
def test_peers_are_written_as_usual(text, peer):
    assert Peer.parse(text) == peer
    assert str(peer) == text


@pytest.mark.parametrize(
    "text",
    ["PACS", "PACS@host", "@host:104", "PACS@:104", "PACS@h:0", "PACS@h:x", "A" * 17 + "@h:1"],
)
def test_what_is_no_peer_is_said(text):
    with pytest.raises(PeerError):
        Peer.parse(text)


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

"""The listener: what it takes, what it refuses, and what it says."""

import shutil
import socket
import struct
import subprocess
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cine_objects import identifying_words, save, series
from listener import associate, push, wait_for

pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")

from pydicom import dcmread
from pydicom.uid import MRImageStorage
from pynetdicom import AE

from MotionQALib.dimse.listener_settings import ListenerSettings
from MotionQALib.dimse.object_store import ObjectStore
from MotionQALib.dimse.receiver import ReceiverError, facts_of_whole
from MotionQALib.dimse.sender import keep_answers


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

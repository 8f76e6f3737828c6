"""What is stored: under which names, and when it may go."""

import pytest

pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")


from MotionQALib.dimse.object_store import ObjectStore, digest


def test_a_series_is_not_removed_while_an_image_of_it_arrives(tmp_path, monkeypatch):
    store = ObjectStore(tmp_path)
    path = store.put("1", "2", b"x")
    assert not store.remove("1") and path.exists()
    monkeypatch.setattr("MotionQALib.dimse.object_store.BUSY", 0.0)
    assert store.remove("1") and not path.exists()


def test_names_of_files_are_digests(tmp_path):
    store = ObjectStore(tmp_path)
    path = store.put("../../a", "..\\b\0", b"x")
    assert path == tmp_path / digest("../../a") / f"{digest('..' + chr(92) + 'b' + chr(0))}.dcm"
    assert path.read_bytes() == b"x"

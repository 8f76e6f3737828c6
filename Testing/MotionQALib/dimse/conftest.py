"""Tests of the listener: each has one in a folder of its own."""

import pytest


@pytest.fixture
def room(tmp_path):
    pytest.importorskip("pynetdicom", reason="pynetdicom is missing: pip install 'motionqa[dicom]'")
    from listener import Room

    made = []

    def make(**options):
        made.append(Room(tmp_path / "incoming", **options))
        return made[-1]

    yield make
    for one in made:
        one.receiver.stop()

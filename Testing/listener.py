"""A listener that tests send to, and the peers that send."""

import time

from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
from pynetdicom import AE

from MotionQALib.dimse.listener_settings import ListenerSettings
from MotionQALib.dimse.object_store import ObjectStore
from MotionQALib.dimse.receiver import Receiver
from MotionQALib.dimse.sender import keep_answers
from processes import SOON


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

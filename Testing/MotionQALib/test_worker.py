"""The worker as a real child process: what it answers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from MotionQALib import protocol
from MotionQALib.protocol import Assess, Cancel, Explain, Load, Ping, Quit
from MotionQALib.results import Assessment
from processes import SOON

from .worker_child import FOLDER, Child


@pytest.fixture(scope="module")
def shared():
    """One worker for the tests that leave it alive; importing torch is what takes time."""
    child = Child()
    yield child
    assert child.process.poll() is None, "a request made the worker end"
    child.close()


def test_messages_survive_the_way():
    request = Assess(
        id=1, checkpoint="a", voxels="/not-utf8-\udc80", spacing=[8, 1.5, 1.5], name="Zoë\n"
    )
    line = request.encode()
    assert line.count(b"\n") == 1 and line.endswith(b"\n")
    assert protocol.decode(line) == request


def test_fields_of_later_versions_are_ignored():
    line = Ping(id=4).encode().replace(b'"id"', b'"shade": "blue", "id"')
    assert protocol.decode(line) == Ping(id=4)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\xff\xfe",
        b"[1]",
        b"{}",
        b'{"type": ["Ping"]}',
        b'{"type": "Explode"}',
        b'{"type": "Message"}',
        b'{"type": "Ping"}',
        b'{"type": "Ping", "id": "4"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_message_is_refused(line):
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(line)


def test_the_protocol_needs_no_torch():
    code = "import sys, MotionQALib.protocol, MotionQALib.worker; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=FOLDER, timeout=60).returncode == 0


def test_it_grades_as_the_assessor_does(shared, ask, checkpoint_file):
    from MotionQALib.assessment import Assessor
    from MotionQALib.volumes import Volume

    request = ask(6, source="/scans/a.nii.gz", identity="dicom:1.2.3")
    voxels = np.load(request.voxels)
    shared.send(request)
    assert shared.next(protocol.Device).device == "cpu"
    loaded = shared.next(protocol.Loaded)
    assert (loaded.id, loaded.card["name"]) == (request.id, "random")
    steps = [shared.next(protocol.Progress) for _ in range(2)]
    assert [(step.id, step.done, step.total) for step in steps] == [
        (request.id, 4, 6),
        (request.id, 6, 6),
    ]
    result = shared.next(protocol.Result, protocol.Failed)
    got = Assessment.from_dict(result.assessment)
    assert (result.id, got.volume, got.identity) == (request.id, "random", "dicom:1.2.3")
    assert got.source == str(Path("/scans/a.nii.gz"))
    assert not Path(request.voxels).exists()
    volume = Volume(voxels, tuple(request.spacing), name="random")
    wanted = Assessor(checkpoint_file, device="cpu", precision=got.precision).assess(volume)
    np.testing.assert_allclose(got.probabilities, wanted.probabilities, atol=2e-2)
    np.testing.assert_array_equal(got.scores, wanted.scores)


def test_a_second_request_loads_nothing(shared, ask):
    shared.send(ask(), again := ask())
    events = []
    while not events or events[-1].id != again.id:
        events.append(shared.next(protocol.Loaded, protocol.Result, protocol.Failed))
    assert isinstance(events[-1], protocol.Result)
    assert again.id not in [event.id for event in events if isinstance(event, protocol.Loaded)]


def test_a_checkpoint_trained_anew_is_loaded_anew(shared, ask, checkpoint_file, tmp_path):
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoint_file.read_bytes())
    for _ in range(2):
        shared.send(request := ask(checkpoint=str(copy)))
        assert shared.next(protocol.Loaded, protocol.Result).id == request.id
        assert shared.next(protocol.Result).id == request.id
        os.utime(copy, ns=(1, 1))


def test_it_explains_the_slices_asked_for(shared, ask, tmp_path):
    output = tmp_path / "maps.npy"
    shared.send(request := ask(5, kind=Explain, positions=[1, 3], output=str(output)))
    assert shared.next(protocol.Explained, protocol.Failed).output == str(output)
    assert not Path(request.voxels).exists()
    maps = np.load(output)
    assert maps.shape == (2, 64, 72) and maps.dtype == np.float32
    assert maps.min() >= 0 and 0 < maps.max() <= 1


def test_cancelling_stops_between_two_batches(shared, ask):
    shared.send(request := ask(400))
    shared.next(protocol.Progress)
    shared.send(Cancel(id=request.id))
    event = shared.next(protocol.RequestCancelled, protocol.Result, protocol.Failed)
    assert event == protocol.RequestCancelled(id=request.id)
    shared.send(after := ask())
    assert shared.next(protocol.Result, protocol.Failed).id == after.id


def test_cancelling_what_waits_stops_it_before_it_begins(shared, ask):
    first, second, fourth = ask(24), ask(24), ask()
    third = Load(id=7, checkpoint="nowhere")
    shared.send(first, second, third, fourth, Cancel(id=second.id), Cancel(id=third.id))
    ends = (protocol.Result, protocol.RequestCancelled, protocol.Failed)
    events = [shared.next(*ends) for _ in range(4)]
    assert {event.id: type(event).__name__ for event in events} == {
        first.id: "Result",
        second.id: "RequestCancelled",
        third.id: "RequestCancelled",
        fourth.id: "Result",
    }


def test_it_answers_a_ping_while_it_grades(shared, ask):
    shared.send(request := ask(200))
    shared.next(protocol.Progress)
    shared.send(Ping(id=9))
    event = shared.next(protocol.Pong, protocol.Result)
    assert event == protocol.Pong(id=9)
    shared.send(Cancel(id=request.id))
    shared.next(protocol.RequestCancelled)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"checkpoint": "nowhere"}, "nowhere"),
        ({"checkpoint": "none.safetensors"}, "none.safetensors"),
        ({"device": "abacus"}, "abacus"),
        ({"voxels": "none.npy"}, "try again"),
        ({"spacing": [0, 1, 1]}, "impossible spacing"),
        ({"spacing": [1, 1]}, "spacing"),
        ({"spacing": ["a", 1, 1]}, "random failed unexpectedly"),
    ],
)
def test_a_request_that_cannot_be_met_is_answered_by_a_sentence(shared, ask, fields, said):
    shared.send(request := ask(**fields))
    failed = shared.next(protocol.Failed, protocol.Result)
    assert (failed.id, failed.missing) == (request.id, None)
    assert said in failed.sentence and failed.sentence.endswith(".")


@pytest.mark.parametrize(
    ("voxels", "said"),
    [
        (np.full((1, 2, 9, 9), np.nan), "NaN"),
        (np.zeros((1, 2, 9, 9)), "blank"),
        (np.zeros((2, 9, 9), complex), "plain numbers"),
        (np.ones((1, 1, 1, 1, 9)), "axes"),
        (np.array([{}], object), "did not reach"),
    ],
)
def test_voxels_that_cannot_be_graded_are_answered_by_a_sentence(
    shared, ask, voxels, said, tmp_path
):
    path = tmp_path / "bad.npy"
    np.save(path, voxels)
    shared.send(request := ask(voxels=str(path)))
    failed = shared.next(protocol.Failed, protocol.Result)
    assert failed.id == request.id and said in failed.sentence


def test_a_file_cut_short_is_answered_by_a_sentence(shared, ask):
    request = ask()
    with Path(request.voxels).open("r+b") as file:
        file.truncate(1000)
    shared.send(request)
    assert "did not reach" in shared.next(protocol.Failed, protocol.Result).sentence


def test_garbage_is_answered_and_changes_nothing(child):
    first = child.next(protocol.Ready, seconds=SOON)
    assert (first.protocol, first.pid) == (protocol.VERSION, child.process.pid)
    child.send(b"\n", b"garbage\n", b"\xff\x00\n", b'{"type": "Ready"}\n', b'{"type": "Load"}\n')
    child.send(first.encode())  # an event is no request
    for _ in range(6):
        assert child.next(protocol.Failed).id is None
    child.send(Ping(id=1))
    assert child.next(protocol.Pong) == protocol.Pong(id=1)


def test_what_libraries_print_stays_out_of_the_protocol():
    code = (
        "import os, sys; from MotionQALib import protocol, worker\n"
        "def noisy(self, _):\n"
        "    print('print'); os.system('echo child'); os.write(1, b'raw\\n')\n"
        "    assert sys.stdin.read() == '' and os.read(0, 9) == b''\n"
        "    self._send(protocol.Device(device='quiet', reason='.'))\n"
        "worker.Worker._look_for_device = noisy; worker.main()"
    )
    child = Child([sys.executable, "-c", code])
    assert child.next(protocol.Device, seconds=SOON).device == "quiet"
    child.send(Quit())
    assert child.ended() == 0
    assert child.events.get(timeout=SOON) is None
    child.close()


def test_a_missing_package_is_named():
    code = "import sys; sys.modules['torch'] = None\nfrom MotionQALib import worker; worker.main()"
    child = Child([sys.executable, "-c", code])
    child.send(Load(id=1, checkpoint="a"))
    failed = child.next(protocol.Failed)
    assert (failed.id, failed.missing) == (1, "torch")
    child.close()

"""Logs that lose nothing: locks, torn lines, full disks, kills."""

import errno
import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from MotionQALib.reading import durable_lines, session_lock
from MotionQALib.reading.durable_lines import DurableLines, read_lines
from MotionQALib.reading.reading_errors import InUse, NotSaved

LIBRARY = Path(durable_lines.__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.jsonl"


def opened(path):
    return DurableLines.create(path, "The scores of anna")


def numbers(path):
    return [record["n"] for _, record in read_lines(path).records]


def test_records_are_there_at_once_and_in_order(path):
    with opened(path) as log:
        for n in range(5):
            log.append({"n": n, "text": "é\n\u2028心"})
            assert numbers(path) == list(range(n + 1))  # as another process sees it
    assert read_lines(path).records[0][1]["text"] == "é\n\u2028心"


def test_each_line_is_synced_before_it_counts(path, monkeypatch):
    done = []
    real_write, real_sync = os.write, durable_lines.sync
    with opened(path) as log:
        monkeypatch.setattr(os, "write", lambda f, b: done.append("write") or real_write(f, b))
        monkeypatch.setattr(durable_lines, "sync", lambda f: done.append("sync") or real_sync(f))
        log.append({"n": 1})
    assert done == ["write", "sync"]


def test_a_second_session_is_refused_with_a_sentence(path):
    with opened(path):
        with pytest.raises(InUse) as refused:
            opened(path)
        assert "anna are open in another session" in str(refused.value)
        assert socket.gethostname() in str(refused.value)
    opened(path).close()  # free again


def test_another_machine_counts_until_it_falls_silent(path, monkeypatch):
    lock = path.with_name(f".{path.name}.lock")
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 7, "token": "t"}))
    with pytest.raises(InUse, match="on elsewhere"):
        opened(path)
    old = lock.stat().st_mtime - session_lock.SILENCE - 5
    os.utime(lock, (old, old))
    opened(path).close()


def test_a_clock_that_was_set_back_locks_nobody_out(path):
    lock = path.with_name(f".{path.name}.lock")
    lock.write_text(json.dumps({"host": "elsewhere", "pid": 7, "token": "t"}))
    future = lock.stat().st_mtime + 1e6
    os.utime(lock, (future, future))
    opened(path).close()


def test_a_beat_takes_the_drives_time_and_leaves_the_lock(path, monkeypatch):
    """`os.utime` would give a network drive this machine's time, which may be wrong."""
    lock = path.with_name(f".{path.name}.lock")
    with opened(path) as log:
        content = lock.read_bytes()
        os.utime(lock, (1, 1))
        monkeypatch.delattr(os, "utime")
        log.beat()
        assert lock.read_bytes() == content and lock.stat().st_mtime > 1e9


def test_on_one_machine_a_silent_session_lives_as_long_as_its_process(path):
    """As while a laptop sleeps: the system's lock tells, whatever the heartbeat."""
    with opened(path):
        os.utime(path.with_name(f".{path.name}.lock"), (1, 1))
        with pytest.raises(InUse):
            opened(path)


def test_where_the_drive_knows_no_locks_the_heartbeat_decides(path, monkeypatch):
    monkeypatch.setattr(session_lock, "lock", lambda file: None)
    with opened(path) as log, pytest.raises(InUse):
        log.beat()
        opened(path)
    opened(path).close()


def test_a_session_that_was_taken_over_saves_nothing_more(path):
    with opened(path) as log:
        log.append({"n": 1})
        lock = path.with_name(f".{path.name}.lock")
        lock.write_text(json.dumps({"host": "elsewhere", "token": "other"}))
        with pytest.raises(NotSaved, match="taken over by another session on elsewhere"):
            log.append({"n": 2})
    assert numbers(path) == [1]
    assert "elsewhere" in lock.read_text()  # the other's lock stays


def test_a_torn_last_line_is_set_aside_and_told(path):
    path.write_bytes(b'{"n": 1}\n{"n": 2}\n{"n": 3, "sco')
    assert numbers(path) == [1, 2] and read_lines(path).torn == b'{"n": 3, "sco'
    with opened(path) as log:
        (report,) = log.reports
        assert "cut short" in report and "log.jsonl.torn" in report
        log.append({"n": 4})
    assert path.read_bytes() == b'{"n": 1}\n{"n": 2}\n{"n":4}\n'
    assert path.with_name("log.jsonl.torn").read_bytes() == b'{"n": 3, "sco\n'
    assert opened(path).reports == []


def test_damage_within_is_reported_and_left(path):
    content = b'{"n": 1}\n\x00\x00\x00\n[3]\n{"n": 4}\n'
    path.write_bytes(content)
    with opened(path) as log:
        assert [report.split(" of ")[0] for report in log.reports] == ["Line 2", "Line 3"]
    assert path.read_bytes() == content and numbers(path) == [1, 4]


@pytest.mark.parametrize("written", [0, 1, 7])
def test_a_full_disk_is_said_and_leaves_no_piece(path, monkeypatch, written):
    real = os.write
    calls = []

    def full(file, data):
        calls.append(len(data))
        if len(calls) > 1 or not written:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(file, data[:written])

    with opened(path) as log:
        log.append({"n": 1})
        with monkeypatch.context() as patch:
            patch.setattr(os, "write", full)
            with pytest.raises(NotSaved, match="the disk is full"):
                log.append({"n": 2})
        assert calls and path.read_bytes() == b'{"n":1}\n'
        log.append({"n": 3})
    assert numbers(path) == [1, 3]


def test_a_failed_sync_is_not_saved(path, monkeypatch):
    def fail(file):
        raise OSError(errno.EIO, "Input/output error")

    with opened(path) as log:
        with monkeypatch.context() as patch:
            patch.setattr(durable_lines, "sync", fail)
            with pytest.raises(NotSaved, match="Input/output error"):
                log.append({"n": 1})
        log.append({"n": 2})
    assert numbers(path) == [2]


@pytest.mark.parametrize("end", ["the next line", "closing"])
def test_a_refused_line_never_comes_back(path, monkeypatch, end):
    """Neither can it be synced nor cut off: until the drive answers again, it is on the disk."""

    def fail(*_args):
        raise OSError(errno.EIO, "Input/output error")

    log = opened(path)
    log.append({"n": 1})
    with monkeypatch.context() as patch:
        patch.setattr(durable_lines, "sync", fail)
        patch.setattr(os, "ftruncate", fail)
        for n in (2, 3):
            with pytest.raises(NotSaved):
                log.append({"n": n})
        assert numbers(path) == [1, 2]  # which nobody was told
    if end == "the next line":
        log.append({"n": 4})
    log.close()
    assert numbers(path) == ([1, 4] if end == "the next line" else [1])
    with opened(path) as again:
        again.append({"n": 5})
    assert numbers(path)[-1] == 5 and 2 not in numbers(path)


def test_lines_of_another_program_are_not_cut_off_with_a_refused_one(path, monkeypatch):
    def fail(*_args):
        raise OSError(errno.EIO, "Input/output error")

    with opened(path) as log:
        with monkeypatch.context() as patch:
            patch.setattr(durable_lines, "sync", fail)
            patch.setattr(os, "ftruncate", fail)
            with pytest.raises(NotSaved):
                log.append({"n": 1})
        path.write_bytes(b'{"n":7}\n')
        log.append({"n": 2})
    assert numbers(path) == [7, 2]


def test_a_lock_file_that_was_removed_is_made_again(path):
    """As by programs that tidy up: the log itself is there."""
    with opened(path) as log:
        path.with_name(".log.jsonl.lock").unlink()
        log.append({"n": 1})
        with pytest.raises(InUse):
            opened(path)
        path.with_name(".log.jsonl.lock").unlink()
        with opened(path), pytest.raises(NotSaved, match="taken over by another session"):
            log.append({"n": 2})
    assert numbers(path) == [1]


def test_a_vanished_folder_is_said(path):
    log = opened(path)
    for file in path.parent.iterdir():
        file.unlink()
    path.parent.rmdir()
    with pytest.raises(NotSaved, match="not there any more"):
        log.append({"n": 1})
    assert not path.parent.exists()
    log.close()
    with pytest.raises(NotSaved, match="not there any more"):
        opened(path)


def test_a_vanished_log_is_not_begun_anew(path):
    with opened(path) as log:
        log.append({"n": 1})
        path.unlink()
        with pytest.raises(NotSaved, match="not there any more"):
            log.append({"n": 2})
    assert not path.exists()


def test_a_log_that_was_shortened_is_told(path):
    with opened(path) as log:
        log.append({"n": 1})
        path.write_bytes(b"")
        with pytest.raises(NotSaved, match="shortened by another program"):
            log.append({"n": 2})


def test_a_folder_without_permission_is_said(path, monkeypatch):
    real = os.open

    def refuse(name, flags, *mode, **options):
        if flags & os.O_CREAT or flags & os.O_RDWR:
            raise PermissionError(errno.EACCES, "Permission denied", str(name))
        return real(name, flags, *mode, **options)

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(NotSaved, match="may not be written to"):
        opened(path)


KILLING = """
import os, random, signal, sys, time
from pathlib import Path
from MotionQALib.reading.durable_lines import DurableLines, read_lines

path, kills, pieces = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "pieces"
random.seed(1)
acknowledged, torn = set(), 0

def work(run, pipe):
    if pieces:  # as a slow drive may: a line arrives in parts
        real = os.write
        def slowly(file, data):
            if file == pipe:
                return real(file, data)
            time.sleep(0.0003)
            return real(file, data[:150])
        os.write = slowly
    log = DurableLines.create(path, "The scores of anna")
    for n in range(10**6):
        log.append({"n": run * 10**6 + n, "comment": "x" * 300})
        os.write(pipe, f"{run * 10**6 + n}\\n".encode())

for run in range(kills):
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(out)
        try:
            work(run, into)
        finally:
            os._exit(3)  # it was to be killed
    os.close(into)
    said, wanted = b"", random.randrange(4)  # some are killed while they begin
    while said.count(b"\\n") < wanted and (more := os.read(out, 4096)):
        said += more
    time.sleep(random.uniform(0, 0.004))
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), f"the session failed in run {run}"
    with os.fdopen(out, "rb") as pipe:
        *whole, _ = (said + pipe.read()).split(b"\\n")
    acknowledged |= {int(number) for number in whole}
    lines = read_lines(path)
    assert not lines.damaged, lines.damaged
    torn += bool(lines.torn)
    missing = acknowledged - {record["n"] for _, record in lines.records}
    assert not missing, f"{sorted(missing)[:3]} were acknowledged and lost in run {run}"
DurableLines.create(path, "The scores of anna").close()
print(len(acknowledged), torn)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("manner", ["whole", "pieces"])
def test_no_acknowledged_score_is_lost_when_the_process_is_killed(path, manner):
    """400 sessions in all, each killed by SIGKILL at a random moment, the next going on."""
    command = [sys.executable, "-c", textwrap.dedent(KILLING), str(path), "200", manner]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY)}
    result = subprocess.run(command, capture_output=True, text=True, timeout=300, env=environment)
    assert result.returncode == 0, result.stderr
    acknowledged, torn = map(int, result.stdout.split())
    assert acknowledged > 100
    assert manner == "whole" or torn > 10  # else nothing was put to the test
    assert read_lines(path).torn == b""

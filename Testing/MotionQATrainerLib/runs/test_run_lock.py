import subprocess
import sys
from pathlib import Path

import MotionQATrainerLib
from MotionQATrainerLib.runs.run_lock import FolderLock, is_held

SOURCE = str(Path(MotionQATrainerLib.__file__).parents[1])


def test_a_lock_is_held_until_its_process_ends(tmp_path):
    path = tmp_path / "lock"
    code = (
        f"import sys; sys.path.insert(0, {SOURCE!r})\n"
        "from MotionQATrainerLib.runs.run_lock import FolderLock\n"
        f"lock = FolderLock({str(path)!r}); print(lock.acquire(), flush=True); input()"
    )
    assert not is_held(path)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        assert is_held(path)
        assert not FolderLock(path).acquire()
        holder.kill()
    assert not is_held(path)
    mine = FolderLock(path)
    assert mine.acquire()
    assert is_held(path)
    mine.release()
    assert not is_held(path)

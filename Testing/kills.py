"""A listener that is killed at random moments while it is sent series.

    python Testing/kills.py [--kills 100] [--seed 0]

kills one so often, and says whether anything was lost or graded twice; the tests do it a few times.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from cine_objects import series
from processes import LATE

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("--quiet", "0.3", "--patience", "1", "--device", "cpu", "--precision", "fp32")


class Program:
    """One running command."""

    def __init__(self, *arguments: object, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "MotionQA"), "OMP_NUM_THREADS": "1"}
        self._log = folder / f"log-{time.monotonic_ns()}.txt"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, ROOT / "Testing" / "quick_motionqa.py", *map(str, arguments)],
                cwd=folder,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._log.read_text("utf-8")

    def wait_for(self, pattern: str, seconds: float = LATE) -> re.Match:
        end = time.monotonic() + seconds
        while not (found := re.search(pattern, self.said)):
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            time.sleep(0.02)
        return found

    def port(self) -> int:
        return int(self.wait_for(r"Listening as \w+ at 127\.0\.0\.1, port (\d+)")[1])

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def end(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def kill_at_random(
    start, folder: Path, *, kills: int, seed: int = 0, say=lambda text: None
) -> dict:
    """Send a series, kill in the middle, start again; at the end all must be graded, once.

    Parameters
    ----------
    start : makes a running ``motionqa listen`` with ``port()``, ``kill()`` and ``said``
    folder : where its folder ``out`` lies

    Returns
    -------
    Numbers of series, of objects acknowledged, of kills.
    """
    from MotionQALib.dimse.object_store import digest

    rng = random.Random(seed)
    acknowledged: dict[str, set[str]] = {}
    everything = {}
    program = _listen(start)
    for number in range(kills):
        images = series(slices=2, phases=2, seed=number, size=24, series_number=number)
        everything[str(images[0].SeriesInstanceUID)] = images
        sender = threading.Thread(target=send, args=(program, images, acknowledged), daemon=True)
        port = program.port()
        sender.start()
        time.sleep(rng.choice([rng.uniform(0, 0.15), rng.uniform(0, 1.5)]))
        program.kill()
        sender.join(30)
        say(f"kill {number + 1} of {kills}, at port {port}")
        program = _listen(start)
    # What was acknowledged is there, whatever came between.
    store = folder / "out" / "incoming"
    for uid, instances in acknowledged.items():
        kept = {path.stem for path in (store / digest(uid)).glob("*.dcm")}
        assert {digest(instance) for instance in instances} <= kept
    for images in everything.values():  # the scanner sends again what was not acknowledged
        assert send(program, images, acknowledged) == len(images)
    end = time.monotonic() + 120 + 2 * kills
    # A series that was cut off behind a whole slice looks complete: it is graded, and again when
    # the rest has come. What counts is that each is graded whole, and no content twice.
    while (whole := _graded_whole(folder)) != set(everything):
        assert time.monotonic() < end, (set(everything) - whole, program.said[-2000:])
        time.sleep(0.1)
    program.kill()
    again = _listen(start)  # the table is made whole at the start
    again.port()
    again.kill()
    times = Counter(entry["content"] for entry in _graded(folder))
    assert set(times.values()) == {1}, times
    with (folder / "out" / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = Counter(row["volume"].rpartition("-")[2] for row in csv.DictReader(file))
    wanted = {entry["content"][:8]: entry["images"] + 1 for entry in _graded(folder)}
    assert rows == wanted
    count = sum(map(len, acknowledged.values()))
    return {"series": len(everything), "acknowledged": count, "kills": kills}


def _listen(start):
    return start("listen", "--port", 0, "--output", "out", "--free-space", 0, "--no-sr")


def send(program, images, acknowledged: dict[str, set[str]]) -> int:
    """Send images to a program's port, and note which of each series were taken; how many."""
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
    from pynetdicom import AE

    from MotionQALib.dimse.sender import keep_answers

    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", program.port(), ae_title="MOTIONQA")
    keep_answers(association)
    done = 0
    try:
        for data in images:
            if association.send_c_store(data).get("Status") != 0:
                break
            acknowledged.setdefault(str(data.SeriesInstanceUID), set()).add(
                str(data.SOPInstanceUID)
            )
            done += 1
        association.release()
    except (RuntimeError, ValueError, OSError):
        pass  # it was killed in the middle
    return done


def _graded_whole(folder: Path) -> set[str]:
    return {entry["series"] for entry in _graded(folder) if entry["images"] == 4}


def _graded(folder: Path) -> list[dict]:
    found = []
    try:
        text = (folder / "out" / "results.jsonl").read_text("utf-8")
    except FileNotFoundError:
        return found
    for line in text.splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue  # cut short by the kill
        if record.get("entry", {}).get("status") == "graded":
            found.append(record["entry"])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def start(*arguments: object) -> Program:
            return Program(*arguments, *QUICK, folder=folder)

        found = kill_at_random(
            start,
            folder,
            kills=options.kills,
            seed=options.seed,
            say=lambda text: print(text, file=sys.stderr, flush=True),
        )
    print("Nothing lost, nothing graded twice: " + ", ".join(f"{n} {k}" for k, n in found.items()))


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "MotionQA")]
    main()

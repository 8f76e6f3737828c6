"""A listener that is killed at random moments while it is sent series."""

from __future__ import annotations

import csv
import json
import random
import threading
import time
from collections import Counter
from pathlib import Path

from cine_objects import series


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
        sender = threading.Thread(target=_send, args=(program, images, acknowledged), daemon=True)
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
        assert _send(program, images, acknowledged) == len(images)
    end = time.monotonic() + 120 + 2 * kills
    while len(_graded(folder)) < kills:
        assert time.monotonic() < end, (len(_graded(folder)), program.said[-2000:])
        time.sleep(0.1)
    program.kill()
    again = _listen(start)  # the table is made whole at the start
    again.port()
    again.kill()
    times = Counter(entry["content"] for entry in _graded(folder))
    assert set(times.values()) == {1}, times
    assert {entry["series"] for entry in _graded(folder)} == set(everything)
    with (folder / "out" / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = Counter(row["volume"] for row in csv.DictReader(file))
    assert set(rows.values()) == {5} and len(rows) == kills, rows
    count = sum(map(len, acknowledged.values()))
    return {"series": len(everything), "acknowledged": count, "kills": kills}


def _listen(start):
    return start("listen", "--port", 0, "--output", "out", "--free-space", 0, "--no-sr")


def _send(program, images, acknowledged: dict[str, set[str]]) -> int:
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage
    from pynetdicom import AE

    entity = AE(ae_title="SCANNER")
    entity.add_requested_context(MRImageStorage, ExplicitVRLittleEndian)
    association = entity.associate("127.0.0.1", program.port(), ae_title="MOTIONQA")
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

"""A batch of hundreds of volumes, told without being graded: what the tab does with each line."""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace

from host import pythonqt
from MotionQALib.batch_runs import batch_messages
from MotionQALib.signals import Signal

pythonqt(__name__)

VOLUMES, EVERY = 600, 25
"""Of so many volumes, one in so many fails."""


class Told:
    """Stands for the process."""

    def __init__(self, _module: str) -> None:
        self.received, self.ended, self.asked = Signal(), Signal(), []

    def send(self, message) -> None:
        self.asked.append(message)

    def kill(self) -> None:
        """There is nothing to end."""


def graded(number: int, known: bool = False):
    score = 1 + number * 7 % 5
    return batch_messages.VolumeGraded(
        path=f"/study/{number}.nii",
        name=f"volume {number:03d}",
        score=score,
        expected=score + number * 37 % 100 / 1000,
        uncertain=False,
        severe=[1] if score < 3 else [],
        moderate=[],
        frames=1,
        slices=3,
        line=number,
        picture="",
        known=known,
    )


def failed(number: int):
    return batch_messages.VolumeFailed(
        path=f"/study/{number}.nii", sentence=f"{number}.nii is no image; export it again."
    )


def test_a_long_batch_is_counted_sorted_and_shown_a_little_at_a_time(
    host, module, tmp_path, monkeypatch
):
    from MotionQAWidgets.batch import batch_run
    from MotionQAWidgets.batch.batch_table import NAME

    now, written, begun = [100.0], Counter(), []

    def begin(name):
        begun.append(Told(name))
        return begun[-1]

    monkeypatch.setattr(batch_run, "MessageProcess", begin)
    monkeypatch.setattr(batch_run, "time", SimpleNamespace(monotonic=lambda: now[0]))
    (tmp_path / "study").mkdir()
    batch = module.batch
    batch.source.path = tmp_path / "study"
    batch.start_button.click()
    table = batch.table.widget

    def count(first, _last, *_roles):
        if first.column() == NAME:
            written[first.row()] += 1

    table.model().dataChanged.connect(count)
    tell = begun[0].received.emit
    tell(batch_messages.VolumesFound(total=VOLUMES))
    for number in range(100):  # of an earlier run, which was killed: they count for no rate
        tell(graded(number, known=True))
    tell(batch_messages.BatchDevice(reason="A stand-in computes."))
    assert batch.run.per_minute is None
    for number in range(100, VOLUMES):
        now[0] += 0.5
        tell(failed(number) if number % EVERY == 0 else graded(number))
        if number % 50 == 0:
            host.process_events(0.25)
            done, left = number + 1, VOLUMES - number - 1
            assert f"{done} of 600 volumes" in batch.progress_label.text
            if number > 100:
                assert "120 a minute" in batch.progress_label.text
                assert abs(batch.run.seconds_left - left / 2) < 1e-6
    host.process_events(0.3)
    results = batch.run.graded
    assert [r.expected for r in results] == sorted(r.expected for r in results)
    assert table.rowCount == len(results) == VOLUMES - 20
    assert table.item(0, NAME).text() == results[0].name
    # Rows are written where they are in sight, once for each time that the tab is shown anew.
    shown = table.rowAt(table.viewport().height - 1) + 1 or 60
    assert 0 < len(written) <= shown + 1 and sum(written.values()) <= 20 * (shown + 1)
    assert "20 could not be graded" in batch.failures_button.text
    batch.failures_button.click()
    listed = batch.failures_list.plainText.splitlines()
    assert listed == [failed(number).sentence for number in range(100, VOLUMES, EVERY)]
    tell(batch_messages.BatchEnded(left=0, sentence=""))
    assert not batch.run.running and batch.start_button.text == "Grade all"
    batch.failures_button.click()

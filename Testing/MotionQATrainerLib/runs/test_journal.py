import io
import json

from MotionQATrainerLib.runs.journal import RUN_VARIABLE, Journal, JournalReader, to_stream
from MotionQATrainerLib.runs.progress import Event


def test_steps_are_written_now_and_then_and_figures_always(tmp_path):
    seen = []
    journal = Journal(tmp_path, seen.append, every=60.0)
    for step in range(1, 10):
        journal(Event("train", done=step, total=20))
    journal(Event("validate", "epoch 1", 1, 2, {"valid_kappa": 0.5, "valid_nll": float("nan")}))
    assert len(seen) == 10
    reader = JournalReader(tmp_path)
    assert reader.new_lines() == ["epoch 1"]
    assert len(journal.path.read_text(encoding="utf-8").splitlines()) == 3  # started, 1 step, epoch
    status = reader.status
    assert (status.state, status.epoch, status.epochs) == ("running", 1, 2)
    assert (status.done, status.total) == (9, 20)
    assert status.metrics == {"valid_kappa": 0.5}
    journal.end("finished", checkpoint="net.safetensors")
    assert reader.new_lines() == []
    assert reader.status.ended
    assert reader.status.checkpoint == "net.safetensors"
    assert "epoch 1 of 2" in str(reader.status)


def test_the_time_left_is_told(tmp_path, monkeypatch):
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr("MotionQATrainerLib.runs.journal.time.monotonic", lambda: next(clock))
    journal = Journal(tmp_path)
    for step in (101, 102, 103):  # resumed: what was done before took no time here
        journal(Event("train", done=step, total=110))
    reader = JournalReader(tmp_path)
    reader.new_lines()
    assert reader.status.seconds_left == 70
    assert "70 s left" in str(reader.status)


def test_half_a_line_of_a_killed_run_is_left_out(tmp_path):
    Journal(tmp_path)
    path = tmp_path / "progress.jsonl"
    with path.open("a") as file:
        file.write('{"state": "run')
    reader = JournalReader(tmp_path)
    reader.new_lines()
    assert reader.status.state == "starting"
    Journal(tmp_path)(Event("data", "Reading."))
    assert reader.new_lines() == ["Reading."]


def test_the_lines_of_an_earlier_run_are_not_taken_for_this_one(tmp_path, monkeypatch):
    monkeypatch.setenv(RUN_VARIABLE, "first")
    Journal(tmp_path).end("finished", "x" * 500)
    reader = JournalReader(tmp_path, "second")
    assert reader.new_lines() == []
    assert reader.status.state == "starting"
    monkeypatch.setenv(RUN_VARIABLE, "second")
    Journal(tmp_path, fresh=True)(Event("data", "Reading."))  # shorter than the one before
    assert reader.new_lines() == ["Reading."]


def test_progress_for_programs_is_json():
    stream = io.StringIO()
    to_stream(stream)(Event("train", done=3, total=9))
    assert json.loads(stream.getvalue()) == {"stage": "train", "done": 3, "total": 9}


def test_the_run_that_resumes_another_is_not_taken_for_it(tmp_path, monkeypatch):
    monkeypatch.setenv(RUN_VARIABLE, "first")
    Journal(tmp_path).end("stopped", "Stopped.")
    reader = JournalReader(tmp_path, "first")
    assert reader.new_lines() == ["Stopped."]
    monkeypatch.setenv(RUN_VARIABLE, "second")
    Journal(tmp_path)(Event("data", "Reading."))
    assert reader.new_lines() == [] == reader.new_lines()
    assert reader.status.state == "stopped"
    beside = JournalReader(tmp_path)  # whoever looks at the folder sees what is there now
    assert beside.new_lines() == ["Stopped.", "Reading."]
    assert beside.status.state == "running"

"""log.csv: read while it is written, and cut where a run goes on."""

from __future__ import annotations

from MotionQATrainerLib.runs import training_log


def test_what_was_added_is_read_and_a_missing_value_is_none(tmp_path):
    path = tmp_path / "log.csv"
    assert training_log.read(path) == []
    training_log.append(path, {"epoch": 1, "step": 5, "train_loss": 0.25})
    training_log.append(path, {"epoch": 2, "step": 10, "best": 1})
    first, second = training_log.read(path)
    assert (first["train_loss"], first["best"], second["best"]) == (0.25, None, 1.0)
    assert tuple(first) == training_log.COLUMNS


def test_a_torn_row_is_not_read_and_is_cut_with_those_after_the_step(tmp_path):
    path = tmp_path / "log.csv"
    for epoch in (1, 2, 3):
        training_log.append(path, {"epoch": epoch, "step": 5 * epoch})
    with path.open("a") as file:
        file.write("4,2")
    assert [row["epoch"] for row in training_log.read(path)] == [1, 2, 3]
    training_log.cut(path, 10)
    assert [row["step"] for row in training_log.read(path)] == [5, 10]
    path.write_text("epo")  # a full disk may leave half a line of names
    training_log.cut(path, 10)
    training_log.append(path, {"epoch": 1, "step": 5})
    assert [row["step"] for row in training_log.read(path)] == [5]

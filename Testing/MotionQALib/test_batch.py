"""Many files: read in advance, failures told, nothing graded twice."""

import json
import os
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest

from MotionQALib import batch
from MotionQALib.assessment import AssessmentError, Assessor, Cancelled
from MotionQALib.batch import BatchOptions, ResumeFile, assess_many, distinct_names
from MotionQALib.checkpoints import Card

CARD = Card(name="stub", title="", backbone="tf_efficientnet_lite0", preprocessing={})


class Grader:
    """An Assessor that takes no time: every slice has the score that the volume's name ends in."""

    card = CARD

    def __init__(self, assessment_of):
        self.assessment_of, self.graded = assessment_of, []

    def assess(self, volume, *, progress=None, cancelled=None):
        if cancelled and cancelled():
            raise Cancelled(volume.name)
        self.graded.append(volume.name)
        if progress:
            progress(volume.n_slices, volume.n_slices)
        score = int(volume.name[-1])
        return self.assessment_of(
            *[score] * volume.n_slices, volume=volume.name, source=str(volume.source)
        )


@pytest.fixture
def grader(assessment_of):
    return Grader(assessment_of)


@pytest.fixture
def files(phantom_file, tmp_path):
    """Three volumes, named after their scores, and a damaged one in between."""
    names = ["a-5", "b-1", "broken", "c-3"]
    paths = [tmp_path / f"{name}.nii.gz" for name in names]
    for path in paths:
        shutil.copy(phantom_file, path)
    paths[2].write_bytes(paths[2].read_bytes()[:500])
    return paths


def test_all_are_graded_in_order_and_failures_have_a_sentence(files, grader):
    results = list(assess_many(files, grader))
    assert [result.path for result in results] == files
    assert [r.assessment and r.assessment.volume_score for r in results] == [5, 1, None, 3]
    assert results[2].error.startswith("broken.nii.gz is cut short")
    assert [r.error for r in results if r.assessment] == [None] * 3


def test_next_file_is_read_while_one_is_graded(files, grader, monkeypatch):
    second_is_read = threading.Event()
    read = batch.read

    def noting(path, batch_options):
        if path == files[1]:
            second_is_read.set()
        return read(path, batch_options)

    assess = grader.assess

    def waiting(volume, **options):
        assert second_is_read.wait(timeout=20)
        return assess(volume, **options)

    monkeypatch.setattr(batch, "read", noting)
    grader.assess = waiting
    assert next(assess_many(files, grader)).assessment is not None


def test_no_more_than_one_file_is_read_in_advance(files, grader, monkeypatch):
    started = []
    read = batch.read
    monkeypatch.setattr(batch, "read", lambda path, w: started.append(path) or read(path, w))
    results = assess_many(files, grader)
    next(results)
    assert len(started) <= 2
    results.close()
    assert len(started) <= 2


def test_file_that_makes_the_network_fail_does_not_end_the_others(files, grader):
    assess = grader.assess

    def failing(volume, **options):
        if volume.name == "a-5":
            raise AssessmentError("a-5 cannot be graded: no memory.")
        if volume.name == "b-1":
            raise KeyError("a bug")
        return assess(volume, **options)

    grader.assess = failing
    results = list(assess_many(files, grader))
    assert results[0].error == "a-5 cannot be graded: no memory."
    assert results[1].error.startswith("b-1 cannot be graded (")
    assert results[3].assessment.volume_score == 3


def test_cancelling_ends_the_batch(files, grader):
    with pytest.raises(Cancelled):
        list(assess_many(files, grader, cancelled=lambda: bool(grader.graded)))
    assert grader.graded == ["a-5"]


def test_progress_names_the_file(files, grader):
    seen = []
    list(assess_many(files[:2], grader, progress=lambda *count: seen.append(count)))
    assert seen == [(files[0], 4, 4), (files[1], 4, 4)]


def test_journal_spares_what_is_graded(files, grader, tmp_path):
    path = tmp_path / "journal.jsonl"
    first = list(assess_many(files[:2], grader, journal=ResumeFile(path, CARD, resume=False)))
    grader.graded.clear()
    again = list(assess_many(files, grader, journal=ResumeFile(path, CARD, resume=True)))
    assert grader.graded == ["c-3"]
    assert [r.assessment and r.assessment.volume_score for r in again] == [5, 1, None, 3]
    np.testing.assert_array_equal(
        again[0].assessment.probabilities, first[0].assessment.probabilities
    )


def graded_again(files, grader, path, *, card=CARD, batch_options=None):
    grader.graded.clear()
    journal = ResumeFile(path, card, batch_options, resume=True)
    list(assess_many(files, grader, batch_options=batch_options, journal=journal))
    return grader.graded


def test_journal_forgets_what_has_changed(files, grader, tmp_path):
    path, good = tmp_path / "journal.jsonl", files[:2]
    list(assess_many(good, grader, journal=ResumeFile(path, CARD, resume=False)))
    assert graded_again(good, grader, path) == []
    os.utime(good[1], (1, 1))
    assert graded_again(good, grader, path) == ["b-1"]
    other = Card(name="other", title="", backbone=CARD.backbone, preprocessing={})
    assert graded_again(good, grader, path, card=other) == ["a-5", "b-1"]
    assert graded_again(good, grader, path, batch_options=BatchOptions(slice_axis=2)) == [
        "a-5",
        "b-1",
    ]
    ResumeFile(path, CARD, resume=False)
    assert graded_again(good, grader, path) == ["a-5", "b-1"]


def test_journal_cut_short_by_a_kill_is_still_of_use(files, grader, tmp_path):
    path, good = tmp_path / "journal.jsonl", files[:2]
    list(assess_many(good, grader, journal=ResumeFile(path, CARD, resume=False)))
    path.write_bytes(path.read_bytes()[:-40])
    assert graded_again(good, grader, path) == ["b-1"]
    assert graded_again(good, grader, path) == []
    for line in path.read_text("utf-8").splitlines()[-1:]:
        assert json.loads(line)["assessment"]["volume"] == "b-1"


def test_folder_of_a_series_counts_as_changed_when_a_file_is_added(tmp_path):
    (tmp_path / "one").write_bytes(b"1")
    before = batch.fingerprint(tmp_path)
    (tmp_path / "two").write_bytes(b"2")
    assert batch.fingerprint(tmp_path) != before


def test_pictures_and_relevance_come_when_wished_for(checkpoint_file, cine_file, tmp_path):
    assessor = Assessor(checkpoint_file, device="cpu", precision="fp32")
    batch_options = BatchOptions(pictures=True, relevance=True)
    journal = ResumeFile(tmp_path / "journal.jsonl", assessor.card, batch_options, resume=False)
    (graded,) = assess_many([cine_file], assessor, batch_options=batch_options, journal=journal)
    assert len(graded.pictures) == graded.assessment.n_slices
    assert all(picture.overlay for picture in graded.pictures)
    assert [p.frame for p in graded.pictures] == graded.assessment.worst_frames.tolist()

    journal = ResumeFile(journal.path, assessor.card, batch_options, resume=True)
    assessor.assess = None  # what the journal knows is drawn without being graded again
    (again,) = assess_many([cine_file], assessor, batch_options=batch_options, journal=journal)
    assert again.error is None
    assert again.pictures == graded.pictures


@pytest.mark.parametrize(
    "paths, expected",
    [
        (["a/ED.nii.gz", "b/ED.nii.gz", "b/ES.nii.gz"], ["a/ED", "b/ED", None]),
        (["x/1/ED.nii", "y/1/ED.nii", "y/2/ED.nii"], ["x/1/ED", "y/1/ED", "y/2/ED"]),
        (["ED.nii", "a/ED.nii"], ["ED", "a/ED"]),
        (["a/ED.nii", "a/ED.nrrd"], ["ED.nii", "ED.nrrd"]),
        (["a/ED.nii", "a/ED.nrrd", "b/ED.nii"], ["a/ED.nii", "a/ED.nrrd", "b/ED.nii"]),
        (["a/ED.nii", "a/ED.nii"], [None, None]),
    ],
)
def test_files_of_one_name_are_told_apart_by_as_little_as_it_takes(paths, expected):
    names = distinct_names([Path(path) for path in paths])
    assert [names.get(Path(path)) for path in paths] == expected

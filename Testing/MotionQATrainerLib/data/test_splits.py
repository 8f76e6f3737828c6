import json
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from MotionQATrainerLib.data.splits import (
    Split,
    SplitError,
    by_folds,
    by_fractions,
    inherited,
    split_file,
    worst_grades,
)

SUBJECTS = [f"P{i:03d}" for i in range(40)]


@given(n=st.integers(4, 60), seed=st.integers(0, 99), graded=st.booleans())
def test_every_subject_is_in_exactly_one_part(n, seed, graded):
    names = [f"s{i}" for i in range(n)]
    worst = {name: i % 3 + 1 for i, name in enumerate(names)} if graded else None
    split = by_fractions(names * 3, valid=0.2, test=0.2, worst=worst, seed=seed)
    assert sorted(split.train + split.valid + split.test) == sorted(names)
    assert len(split.valid) == len(split.test) == max(1, round(0.2 * n))


def test_seed_decides_and_order_does_not():
    split = by_fractions(SUBJECTS, seed=3)
    assert by_fractions(SUBJECTS[::-1] * 2, seed=3) == split
    assert by_fractions(SUBJECTS, seed=4).test != split.test


@pytest.mark.parametrize("seed", range(5))
def test_each_part_gets_its_share_of_the_worst_grades(seed):
    worst = {s: 3 if i < 10 else 2 if i < 20 else 1 for i, s in enumerate(SUBJECTS)}
    split = by_fractions(SUBJECTS, valid=0.2, test=0.2, worst=worst, seed=seed)
    for part, n in (("train", 24), ("valid", 8), ("test", 8)):
        counts = Counter(worst[s] for s in getattr(split, part))
        assert sum(counts.values()) == n
        for grade, share in ((1, 0.5), (2, 0.25), (3, 0.25)):
            assert abs(counts[grade] - share * n) <= 1
    for fold in by_folds(SUBJECTS, 5, worst=worst, seed=seed):
        counts = Counter(worst[s] for s in fold.valid)
        assert counts == {1: 4, 2: 2, 3: 2}


def test_folds_validate_everyone_once():
    folds = by_folds(SUBJECTS, 6, test=SUBJECTS[:4], seed=1)
    validated = [s for fold in folds for s in fold.valid]
    assert sorted(validated) == SUBJECTS[4:]
    for number, fold in enumerate(folds):
        assert fold.fold == number and fold.test == tuple(SUBJECTS[:4])
        assert len(fold.train) + len(fold.valid) == 36


def test_worst_grades():
    levels = np.zeros((4, 5), bool)
    levels[0, [3, 4]] = levels[1, 2] = levels[2, [0, 1]] = levels[3, [1, 2]] = True
    assert worst_grades(["a", "a", "b", "c"], levels) == {"a": 2, "b": 3, "c": 2}


@pytest.mark.parametrize("names", [[], ["P001"], ["P001", "P001", "P001"]])
def test_one_subject_is_refused(names):
    for make in (by_fractions, lambda s: by_folds(s, 2)):
        with pytest.raises(SplitError, match="subject"):
            make(names)


def test_too_few_and_impossible_fractions():
    with pytest.raises(SplitError, match="too few"):
        by_fractions(["a", "b"])
    assert by_fractions(["a", "b"], test=0).test == ()
    with pytest.raises(SplitError, match="less than 1"):
        by_fractions(SUBJECTS, valid=0.5, test=0.5)
    with pytest.raises(SplitError, match="folds"):
        by_folds(["a", "b", "c"], 4)


def test_leaks_and_empty_parts_are_refused():
    with pytest.raises(SplitError, match="P001"):
        Split(["P001", "P002"], ["P003"], ["P001"])
    with pytest.raises(SplitError, match="P002"):
        Split(["P001", "P002", "P002"], ["P003"])
    with pytest.raises(SplitError, match="no subject to train"):
        Split([], ["P003"])
    with pytest.raises(SplitError, match="no subject to valid"):
        Split(["P003"], [])


def test_indices_follow_the_subject():
    split = Split(["a", "b"], ["c"], ["d"])
    images = ["d", "a", "c", "a", "e", "b"]
    assert split.indices(images, "train").tolist() == [1, 3, 5]
    assert split.indices(images, "test").tolist() == [0]
    assert split.part_of("c") == "valid" and split.part_of("e") is None
    with pytest.raises(SplitError, match="Subject e"):
        split.check(images)
    split.check(["a", "d"])
    with pytest.raises(ValueError, match="part"):
        split.indices(images, "validation")


def test_saved_beside_the_checkpoint_and_read_again(tmp_path):
    path = split_file(tmp_path / "mine.safetensors")
    assert path == tmp_path / "mine.split.json"
    split = by_fractions([*SUBJECTS, "Jürgen"], seed=5)
    split.save(path)
    assert Split.load(path) == split
    assert json.loads(path.read_text(encoding="utf-8"))["seed"] == 5


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "not JSON"),
        ("[]", "not a split"),
        ('{"train": "P001", "valid": ["b"]}', "train must be a list"),
        ('{"train": [1], "valid": ["b"]}', "train must be a list"),
        ('{"train": ["a"], "valid": ["b"], "seed": "x"}', "seed"),
        ('{"train": ["a"], "valid": ["a"]}', "Subject a"),
        ('{"train": ["a"]}', "no subject to valid"),
    ],
)
def test_bad_files_are_named(tmp_path, content, words):
    path = tmp_path / "x.split.json"
    path.write_text(content)
    with pytest.raises(SplitError, match=words) as error:
        Split.load(path)
    assert str(path) in str(error.value)
    with pytest.raises(SplitError, match="cannot be read"):
        Split.load(tmp_path / "none.json")


def test_whom_an_earlier_checkpoint_saw_is_never_tested_on(tmp_path):
    start = tmp_path / "start.safetensors"
    split = Split(["a", "b"], ["c"], ["d", "e"])
    assert inherited(split, start) == split  # nothing is known of it
    Split(["x", "d"], ["y", "c"], ["e"]).save(split_file(start))
    found = inherited(split, start)
    assert found == Split(["a", "b", "d", "x", "y"], ["c"], ["e"])

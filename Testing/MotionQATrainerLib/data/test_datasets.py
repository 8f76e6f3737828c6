import csv
import os

import numpy as np
import pytest
import torch

from MotionQALib import volumes
from MotionQALib.heart_centre import heart_centre
from MotionQALib.preprocessing import Preprocessing
from MotionQATrainerLib.data.datasets import open_store

SMALL = Preprocessing(spacing=1.8, size=32)


def store_of(rated_set, cache, labels=None, preprocessing=SMALL):
    labels = labels or rated_set.scores
    return open_store(rated_set.folder, labels, preprocessing, margin=8, cache=cache)


def write_labels(path, columns, *rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


@pytest.fixture(scope="module")
def store(rated_set, tmp_path_factory):
    return store_of(rated_set, tmp_path_factory.mktemp("cache"))


def test_every_labelled_slice_is_there(store):
    assert len(store) == 8 * 4 * 3
    assert store.crops.shape == (96, 40, 40)
    assert store.crops.dtype == np.float16
    assert isinstance(store.crops, np.memmap)
    assert set(store.subjects) == {f"P{n:03d}" for n in range(1, 9)}
    assert store.remarks == ()
    row = np.flatnonzero((store.images == "P002-3-ED") & (store.slices == 1))
    assert store.levels[row].tolist() == [[False, False, True, False, False]]
    assert len(set(store.volumes)) == 32
    assert len(store.volume_levels) == 32


def test_a_batch_is_what_grading_feeds_the_network(store, rated_set):
    volume = volumes.read(rated_set.folder / "P003-2" / "P003-2-ED.nii.gz")
    images = torch.from_numpy(np.asarray(volume.voxels[0], dtype=np.float32))
    expected = SMALL(images, volume.spacing[1:], heart_centre(volume, SMALL.locator))
    rows = np.flatnonzero(store.images == "P003-2-ED")
    given, levels = store.batch(rows)
    assert given.shape == (3, 1, 32, 32)
    assert levels.dtype == torch.bool
    assert torch.allclose(given, expected, atol=0.02)  # half precision


def test_augmentation_gets_the_margin_and_the_generator(store):
    seen = {}

    def augment(crops, size, generator):
        seen.update(shape=crops.shape, dtype=crops.dtype, size=size, generator=generator)
        return crops[:, :size, :size]

    generator = torch.Generator()
    given, _ = store.batch(np.array([5, 3]), augment, generator)
    assert given.shape == (2, 1, 32, 32)
    assert seen["shape"] == (2, 40, 40)
    assert seen["dtype"] == torch.float32
    assert seen["generator"] is generator


def test_the_cache_is_used_again_and_only_for_the_same(rated_set, tmp_path, monkeypatch):
    store_of(rated_set, tmp_path)

    def fail(path, **_):
        raise AssertionError(f"{path} was read again")

    monkeypatch.setattr(volumes, "read", fail)
    assert len(store_of(rated_set, tmp_path)) == 96
    with pytest.raises(AssertionError):
        store_of(rated_set, tmp_path, preprocessing=Preprocessing(spacing=1.5, size=32))


def test_a_changed_file_is_read_again(rated_set, tmp_path):
    folder = tmp_path / "copy"
    source = rated_set.folder / "P001-1" / "P001-1-ED.nii.gz"
    folder.mkdir()
    copy = folder / source.name
    copy.write_bytes(source.read_bytes())
    labels = write_labels(tmp_path / "labels.csv", ["image", "score"], ["P001-1-ED", 5])
    before = open_store(folder, labels, SMALL, margin=8, cache=tmp_path / "cache").crops[:]
    copy.write_bytes((rated_set.folder / "P001-4" / "P001-4-ED.nii.gz").read_bytes())
    os.utime(copy, ns=(1, 1))
    after = open_store(folder, labels, SMALL, margin=8, cache=tmp_path / "cache").crops[:]
    assert not np.array_equal(before, after)


def test_a_volumes_grade_goes_to_all_its_slices(rated_set, tmp_path):
    store = store_of(rated_set, tmp_path, rated_set.grades)
    assert len(store) == 96
    rows = store.images == "P001-1-ED"
    assert store.levels[rows].tolist() == [[False, False, False, True, True]] * 3
    assert store.volume_levels["P001-1-ED"].tolist() == [False, False, False, True, True]


def test_what_does_not_match_is_counted_and_said(rated_set, tmp_path):
    rows = [["P001-1-ED", 5], ["P900-1-ED", 3], ["P901-1-ED", 3]]
    labels = write_labels(tmp_path / "some.csv", ["image", "score"], *rows)
    store = store_of(rated_set, tmp_path, labels)
    assert len(store) == 3
    said = " ".join(store.remarks)
    assert "2 labelled images have no file" in said
    assert "31 images in" in said


def test_labels_outside_the_image_are_counted_and_said(rated_set, tmp_path):
    rows = [["P001-1-ED", 0, 1, 5], ["P001-1-ED", 0, 7, 5], ["P001-1-ED", 2, 0, 5]]
    labels = write_labels(tmp_path / "odd.csv", ["image", "frame", "slice", "score"], *rows)
    store = store_of(rated_set, tmp_path, labels)
    assert store.slices.tolist() == [1]
    assert any("2 labels name a frame or slice" in remark for remark in store.remarks)


def test_an_unreadable_file_is_skipped_and_named(rated_set, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    source = rated_set.folder / "P001-1" / "P001-1-ED.nii.gz"
    (folder / "good.nii.gz").write_bytes(source.read_bytes())
    (folder / "bad.nii.gz").write_bytes(source.read_bytes()[:500])
    rows = [["good", 5], ["bad", 1]]
    labels = write_labels(tmp_path / "labels.csv", ["image", "score"], *rows)
    store = open_store(folder, labels, SMALL, margin=8, cache=tmp_path / "cache")
    assert set(store.images) == {"good"}
    assert any("bad.nii.gz" in remark for remark in store.remarks)
    labels = write_labels(tmp_path / "only.csv", ["image", "score"], ["bad", 1])
    with pytest.raises(ValueError, match=r"No slice is left.*bad\.nii\.gz"):
        open_store(folder, labels, SMALL, margin=8, cache=tmp_path / "cache")


def test_a_cine_labelled_as_a_whole_gives_a_few_frames(tmp_path):
    import nibabel

    voxels = np.random.default_rng(0).normal(100, 10, (40, 36, 2, 20)).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(voxels, np.diag([1.5, 1.5, 8, 1])), tmp_path / "cine.nii.gz")
    labels = write_labels(tmp_path / "labels.csv", ["image", "score"], ["cine", 4])
    store = open_store(tmp_path, labels, SMALL, margin=8, cache=tmp_path / "cache")
    assert sorted(set(store.frames)) == [0, 5, 10, 15]
    assert len(store) == 8

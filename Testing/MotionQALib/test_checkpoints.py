import json
import pickle
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from MotionQALib import backbones, checkpoints
from MotionQALib.checkpoints import Card, CheckpointError

BACKBONE = backbones.STARTER_BACKBONE


def card(**changes):
    settings = {"name": "tried", "title": "Tried", "backbone": BACKBONE,
                "preprocessing": {"spacing": 1.5, "size": 64}}  # fmt: skip
    return Card(**(settings | changes))


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    return backbones.create(BACKBONE)[0].eval()


@pytest.fixture
def file(tmp_path, model):
    path = tmp_path / "tried.safetensors"
    checkpoints.save(path, model, card())
    return path


def rewritten(path, change_card=None, change_tensors=None):
    tensors = load_file(str(path))
    content = json.loads(checkpoints.read_card(path).to_json())
    if change_card:
        change_card(content)
    if change_tensors:
        change_tensors(tensors)
    save_file(tensors, str(path), metadata={checkpoints.METADATA_KEY: json.dumps(content)})
    return path


def test_what_is_saved_comes_back(file, model):
    loaded_card, loaded = checkpoints.load(file)
    assert loaded_card == card()
    images = torch.randn(2, 1, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(loaded(images), model(images), atol=0.1)  # fp16 on disk
    assert not loaded.training
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    assert [p.name for p in file.parent.iterdir()] == [file.name]


def test_full_precision_is_exact(tmp_path, model):
    path = tmp_path / "full.safetensors"
    checkpoints.save(path, model, card(), half=False)
    loaded = checkpoints.load(path)[1].state_dict()
    assert all(torch.equal(value, loaded[key]) for key, value in model.state_dict().items())


def test_a_new_card_leaves_the_tensors_alone(file):
    before = load_file(str(file))
    checkpoints.update_card(file, card(metrics={"accuracy": [0.9, 0.8, 1.0]}))
    assert checkpoints.read_card(file).metrics == {"accuracy": [0.9, 0.8, 1.0]}
    after = load_file(str(file))
    assert all(torch.equal(value, after[key]) for key, value in before.items())


def refused(path):
    with pytest.raises(CheckpointError) as caught:
        checkpoints.load(path)
    message = str(caught.value)
    assert path.name in message and "\n" not in message and message.endswith(".")
    return message


def test_a_missing_file_is_named(tmp_path):
    assert "no such" in refused(tmp_path / "gone.safetensors")


@pytest.mark.parametrize("keep", [0, 4, 8, 100, 5000, -1])
def test_a_truncated_file_is_refused(file, keep):
    file.write_bytes(file.read_bytes()[:keep])
    refused(file)


def test_a_renamed_pickle_is_refused_and_never_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "sprung"), "w"))

    path = tmp_path / "trap.safetensors"
    path.write_bytes(pickle.dumps(Trap()))
    assert "pickle" in refused(path)
    torch.save({"weight": torch.zeros(3)}, path)
    refused(path)
    assert not (tmp_path / "sprung").exists()


def test_a_header_that_claims_more_than_the_file_holds_is_refused(tmp_path):
    path = tmp_path / "huge.safetensors"
    path.write_bytes(struct.pack("<Q", 2**60) + b"{}")
    refused(path)


def test_weights_without_a_card_are_refused(tmp_path):
    path = tmp_path / "bare.safetensors"
    save_file({"weight": torch.zeros(3)}, str(path))
    assert "card" in refused(path)


@pytest.mark.parametrize(
    "change, word",
    [
        ({"format_version": 99}, "newer"),
        ({"format_version": "one"}, "format"),
        ({"backbone": "vgg11"}, "vgg11"),
        ({"backbone": None}, "backbone"),
        ({"preprocessing": {"size": -3}}, "size"),
        ({"preprocessing": {"blur": 3}}, "blur"),
        ({"preprocessing": "none"}, "preprocessing"),
        ({"temperature": 0}, "temperature"),
        ({"temperature": "warm"}, "temperature"),
        ({"temperature": 1e-9}, "temperature"),
        ({"temperature": float("nan")}, "temperature"),
        ({"preprocessing": {"spacing": 1e-9}}, "spacing"),
        ({"preprocessing": {"spacing": float("inf")}}, "spacing"),
        ({"uncertain_above": None}, "uncertain_above"),
        ({"scale": "stars"}, "scale"),
        ({"volume_rule": {"kind": "dice"}}, ""),
        ({"metrics": [1]}, "metrics"),
        ({"backbone": ["resnet101d"]}, "backbone"),
        ({"notice": 3}, "notice"),
    ],
)
def test_a_card_that_does_not_fit_is_refused(file, change, word):
    assert word in refused(rewritten(file, lambda content: content.update(change)))


@pytest.mark.parametrize("key", ["name", "backbone", "preprocessing"])
def test_a_card_that_lacks_what_is_needed_is_refused(file, key):
    assert key in refused(rewritten(file, lambda content: content.pop(key)))


def test_a_card_may_hold_more_than_this_version_knows(file):
    rewritten(file, lambda content: content.update(colour="blue"))
    assert checkpoints.load(file)[0] == card()


def test_the_weights_of_another_backbone_are_refused(file):
    message = refused(rewritten(file, lambda content: content.update(backbone="resnet101d")))
    assert "resnet101d" in message


def test_a_size_that_the_backbone_cannot_have_is_refused(file):
    change = {"backbone": "twins_svt_base", "preprocessing": {"size": 100}}
    assert "cannot be built" in refused(rewritten(file, lambda content: content.update(change)))


def test_a_card_steers_no_terminal(file, monkeypatch, capsys):
    from MotionQALib import cli

    texts = {name: f"{name}\x1b[2J\x07\u202e\r" for name in ("title", "notice", "licence")}
    rewritten(file, lambda content: content.update(texts))
    card = checkpoints.read_card(file)
    assert card.title == r"title\x1b[2J\x07\u202e\r"
    monkeypatch.setenv("MOTIONQA_CHECKPOINTS", str(file.parent))
    file.rename(file.with_name("name\x1b[31m.safetensors"))
    assert cli.main(["checkpoints"]) == 0
    printed = capsys.readouterr().out
    assert r"title\x1b[2J" in printed and r"name\x1b[31m" in printed
    assert not {"\x1b", "\x07", "\u202e", "\r"} & set(printed)


def test_missing_foreign_misshapen_and_broken_tensors_are_refused(file):
    original = file.read_bytes()
    for change, word in (
        (lambda t: t.pop("classifier.bias"), "classifier.bias"),
        (lambda t: t.update(extra=torch.zeros(1)), "extra"),
        (lambda t: t.update({"classifier.bias": torch.zeros(7)}), "(7,)"),
        (lambda t: t["classifier.bias"].fill_(torch.nan), "not finite"),
        (lambda t: t.update({"classifier.bias": torch.zeros(5, dtype=torch.int8)}), "int8"),
        (lambda t: t.update({"classifier.bias": torch.zeros(5, dtype=torch.cfloat)}), "complex64"),
        (lambda t: t.update({"bn1.num_batches_tracked": torch.tensor(0.5)}), "float32"),
        (lambda t: t.update({"\x1b[2J": torch.zeros(1)}), "\\x1b[2J"),
    ):
        file.write_bytes(original)
        assert word in refused(rewritten(file, change_tensors=change))


def test_the_catalogue_lists_the_users_checkpoints_and_skips_damaged_ones(file, monkeypatch):
    monkeypatch.setenv("MOTIONQA_CHECKPOINTS", str(file.parent))
    (file.parent / "broken.safetensors").write_bytes(b"nothing")
    names = [entry.name for entry in checkpoints.catalogue()]
    assert "tried" in names and "broken" not in names
    assert checkpoints.resolve("tried") == file
    assert checkpoints.resolve(file) == file


def test_an_unknown_name_is_answered_with_the_known_ones(file, monkeypatch):
    monkeypatch.setenv("MOTIONQA_CHECKPOINTS", str(file.parent))
    with pytest.raises(CheckpointError, match=r"nowhere.*tried"):
        checkpoints.resolve("nowhere")

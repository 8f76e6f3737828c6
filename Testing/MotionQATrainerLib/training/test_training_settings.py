from pathlib import Path

import pytest

from MotionQATrainerLib.training.training_settings import Settings, SettingsError

STARTER = Path(__file__).parents[3] / "MotionQATrainer/Resources/MotionQATrainer-starter.toml"


def load(tmp_path, text):
    path = tmp_path / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return Settings.load(path)


def test_what_the_file_lacks_keeps_its_default(tmp_path):
    settings = load(tmp_path, "[training]\nepochs = 3\nlearning_rate = 1\n")
    assert settings.training.epochs == 3
    assert settings.training.learning_rate == 1.0
    assert isinstance(settings.training.learning_rate, float)
    assert settings.data == Settings().data


def test_settings_come_back_as_they_were_saved(tmp_path):
    settings = Settings().changed(
        {"model.title": 'a "quoted" \\ title', "training.ema": 0.0, "model.pretrained": False}
    )
    settings.save(tmp_path / "settings.toml")
    assert Settings.load(tmp_path / "settings.toml") == settings


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[training]\nepoch = 3", "'epoch' in [training]"),
        ("[trainig]\nepochs = 3", "no table [trainig]"),
        ("epochs = 3", "outside a table"),
        ("[training]\nepochs = 2.5", "training.epochs is a whole number"),
        ("[training]\nepochs = true", "training.epochs is a whole number"),
        ("[training]\nepochs = 0", "training.epochs must be 1 or more"),
        ('[training]\nprecision = "fp8"', "training.precision must be"),
        ('[model]\nbackbone = "resnet"', "'resnet' is not one of"),
        ("[model]\nsize = 8", "size is a whole number"),
        ("[data]\nmargin = 3", "data.margin must be an even number"),
        ("[training]\nseed = -1", "training.seed must be 0 or more"),
        ("[augmentation]\nscale = -2.0", "augmentation.scale must be 0 or more"),
        ("[augmentation]\ncoarsest = 0.5", "augmentation.coarsest must be 1 or more"),
        ("[training", "not a TOML file"),
        ("[training]\nlearning_rate = nan", "training.learning_rate is a finite number"),
        ("[training]\nweight_decay = inf", "training.weight_decay is a finite number"),
        ("[augmentation]\nnoise = -inf", "augmentation.noise is a finite number"),
        (f"[training]\nlearning_rate = {10**400}", "training.learning_rate is a finite number"),
        ("[data]\nvalidation = -0.1", "data.validation must be a share"),
        ("[data]\ntest = -0.2", "data.test must be a share"),
        ("[data]\ntest = 0.9", "below 1 together with data.validation (0.15)"),
        ("[data]\nmargin = 4096", "data.margin must be an even number, 0 to 1024"),
        ("[training]\nseed = 1e20", "training.seed is a whole number"),
        (f"[training]\nseed = {10**20}", "training.seed is a whole number of at most 15 digits"),
        (f"[training]\nseed = {2**32}", "training.seed must be 0 or more, below 2^32"),
        ("[model]\nspacing = 1e-9", "spacing is 0.1 to 20 mm"),
        ('[model]\ntitle = "a\\u001b[2Jb"', "model.title is one line of text"),
        ('[model]\ntitle = "a\\nb"', "model.title is one line of text"),
        ('[model]\nname = "a\\u202eb"', "model.name is one line of text"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path, text, said):
    with pytest.raises(SettingsError, match=r"settings\.toml") as caught:
        load(tmp_path, text)
    assert said in str(caught.value)


def test_a_file_that_begins_as_notepad_writes_it_is_read(tmp_path):
    assert load(tmp_path, "\ufeff[training]\nepochs = 3\n").training.epochs == 3


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(SettingsError, match=r"nothing\.toml cannot be read"):
        Settings.load(tmp_path / "nothing.toml")


def test_assignments_override():
    settings = Settings().overridden(
        ["training.epochs=7", "model.backbone=resnet101d", "model.pretrained=false"]
    )
    assert settings.training.epochs == 7
    assert settings.model.backbone == "resnet101d"
    assert settings.model.pretrained is False
    with pytest.raises(SettingsError, match=r"table\.name=value"):
        Settings().overridden(["epochs"])
    with pytest.raises(SettingsError, match=r"not of the form|no table"):
        Settings().overridden(["training=1"])


def test_preprocessing_is_the_backbones_unless_set():
    assert Settings().model.preprocessing.size == 160
    changed = Settings().changed({"model.size": 192, "model.spacing": 1.0})
    assert changed.model.preprocessing.size == 192
    assert changed.model.preprocessing.spacing == 1.0


def test_the_starters_settings_are_valid():
    settings = Settings.load(STARTER)
    assert settings.model.motion == "simulated"
    assert settings.model.backbone == "tf_efficientnet_lite0"


def test_a_name_that_only_one_table_has_needs_no_table():
    assert Settings().changed({"epochs": 3, "balance": 0.5}) == Settings().changed(
        {"training.epochs": 3, "data.balance": 0.5}
    )
    assert Settings().overridden(["seed=7"]).training.seed == 7
    with pytest.raises(SettingsError, match="no setting 'epoch'; did you mean epochs"):
        Settings().changed({"epoch": 3})


def test_a_file_may_build_on_other_settings(tmp_path):
    path = tmp_path / "s.toml"
    path.write_text("[training]\nepochs = 3\n")
    base = Settings().changed({"batch_size": 5})
    assert Settings.load(path, base) == base.changed({"epochs": 3})

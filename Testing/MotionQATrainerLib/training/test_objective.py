import math

import pytest
import torch

from MotionQATrainerLib.training.objective import OrdinalLikelihood, squared_distance


def mask(*scores):
    return torch.tensor([[score in scores for score in range(1, 6)]])


def test_likelihood_of_one_score_is_cross_entropy():
    torch.manual_seed(0)
    logits = torch.randn(7, 5)
    target = torch.randint(0, 5, (7,))
    levels = torch.nn.functional.one_hot(target, 5).bool()
    expected = torch.nn.functional.cross_entropy(logits, target)
    assert torch.allclose(OrdinalLikelihood(0)(logits, levels), expected)


def test_likelihood_of_a_grade_is_the_mass_of_its_scores():
    logits = torch.log(torch.tensor([[0.1, 0.3, 0.2, 0.15, 0.25]]))
    assert OrdinalLikelihood(0)(logits, mask(1, 2)).item() == pytest.approx(-math.log(0.4))
    assert OrdinalLikelihood(0)(logits, mask(4, 5)).item() == pytest.approx(-math.log(0.4))


def test_distance_worked_by_hand():
    p = torch.tensor([[0.1, 0.2, 0.4, 0.2, 0.1]])
    # F = .1 .3 .7 .9; score 3: .1^2 + .3^2 + .3^2 + .1^2
    assert squared_distance(p, mask(3)).item() == pytest.approx(0.20)
    # score 1: .9^2 + .7^2 + .3^2 + .1^2
    assert squared_distance(p, mask(1)).item() == pytest.approx(1.40)
    # mild allows 4 and 5: .1^2 + .3^2 + .7^2; how 4 and 5 share their mass costs nothing
    assert squared_distance(p, mask(4, 5)).item() == pytest.approx(0.59)
    # severe allows 1 and 2: .7^2 + .3^2 + .1^2
    assert squared_distance(p, mask(1, 2)).item() == pytest.approx(0.59)
    assert squared_distance(p, mask(1, 2, 3, 4, 5)).item() == pytest.approx(0.0)


def test_a_worse_miss_costs_more():
    near = torch.tensor([[0.0, 0.0, 0.0, 1.0, 0.0]])
    far = torch.tensor([[1.0, 0.0, 0.0, 0.0, 0.0]])
    assert squared_distance(near, mask(5)).item() == pytest.approx(1.0)
    assert squared_distance(far, mask(5)).item() == pytest.approx(4.0)


@pytest.mark.parametrize("scores", [(1,), (3,), (5,), (1, 2), (4, 5)])
@pytest.mark.parametrize("weighted", [False, True])
def test_gradient_matches_finite_differences(scores, weighted):
    torch.manual_seed(1)
    logits = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    levels = mask(*scores).expand(4, 5)
    weights = torch.tensor([1.0, 0.0, 2.5, 0.3]) if weighted else None
    loss = OrdinalLikelihood(0.7)
    assert torch.autograd.gradcheck(lambda x: loss(x, levels, weights), (logits,))


def test_a_finite_difference_taken_by_hand():
    logits = torch.tensor([[0.3, -1.0, 0.5, 2.0, -0.2]], dtype=torch.float64, requires_grad=True)
    loss = OrdinalLikelihood(2.0)
    loss(logits, mask(2)).backward()
    step = torch.zeros_like(logits)
    step[0, 3] = 1e-6
    with torch.no_grad():
        slope = (loss(logits + step, mask(2)) - loss(logits - step, mask(2))) / 2e-6
    assert logits.grad[0, 3].item() == pytest.approx(slope.item(), rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_extreme_logits_stay_finite(dtype):
    logits = torch.tensor([[3e4, -3e4, 0.0, 3e4, -3e4]], dtype=dtype, requires_grad=True)
    for scores in [(2,), (5,), (1, 2), (4, 5)]:
        logits.grad = None
        loss = OrdinalLikelihood(1.0)(logits, mask(*scores))
        loss.backward()
        assert torch.isfinite(loss) and loss.dtype == torch.float32
        assert torch.isfinite(logits.grad).all()


def test_weights_give_a_weighted_mean():
    torch.manual_seed(2)
    logits, levels = torch.randn(3, 5), torch.eye(5).bool()[:3]
    loss = OrdinalLikelihood(1.0)
    each = loss.each(logits, levels)
    weighted = loss(logits, levels, torch.tensor([1, 0, 3]))
    assert weighted.item() == pytest.approx((each[0] + 3 * each[2]).item() / 4, rel=1e-6)
    assert loss(logits, levels, torch.zeros(3)).item() == 0


def test_descent_finds_the_labelled_score():
    logits = torch.zeros(1, 5, requires_grad=True)
    optimiser = torch.optim.SGD([logits], lr=1.0)
    for _ in range(200):
        optimiser.zero_grad()
        OrdinalLikelihood(1.0)(logits, mask(2)).backward()
        optimiser.step()
    assert logits.softmax(-1)[0, 1] > 0.95


def test_negative_weight_is_refused():
    with pytest.raises(ValueError, match="ordinal_weight"):
        OrdinalLikelihood(-1)

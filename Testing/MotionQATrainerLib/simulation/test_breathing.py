import numpy as np
import pytest

from MotionQATrainerLib.simulation.breathing import Behaviour, Breathing, lujan

TIMES = np.arange(11) * 0.9


@pytest.fixture
def subjects(rng):
    return [Breathing.draw(rng) for _ in range(300)]


def span(subjects, behaviour, rng):
    moves = [person.displacement(behaviour, TIMES, 3, rng) for person in subjects]
    return np.median([np.ptp(move, axis=1).mean() for move in moves])


def test_the_drawn_people_breathe_as_the_sources_measured(subjects):
    amplitudes = np.array([person.amplitude for person in subjects])
    assert amplitudes.min() >= 2.4 and amplitudes.max() <= 8
    assert amplitudes.mean() == pytest.approx(5.0, abs=0.3)
    assert {person.exponent for person in subjects} == {1, 2, 3}
    assert all(3 <= person.period <= 5 for person in subjects)
    assert all(0.05 * 0.26 <= person.drift <= 0.15 * 0.9 for person in subjects)


def test_lujan_rests_at_expiration_and_reaches_its_amplitude():
    times = np.linspace(0, 4, 4001)
    curve = lujan(times, 6.0, 4.0, 3, 0.0)
    assert curve.min() == pytest.approx(0.0) and curve.max() == pytest.approx(6.0)
    assert curve[0] == pytest.approx(0) and curve[2000] == pytest.approx(6.0)
    # The larger the exponent, the shorter the stay near expiration's far end.
    assert (lujan(times, 6.0, 4.0, 3, 0.0) > 3).mean() > (lujan(times, 6.0, 4.0, 1, 0.0) > 3).mean()


def test_the_behaviours_move_the_heart_more_and_more(subjects, rng):
    hold, half, free, intensive = (span(subjects, behaviour, rng) for behaviour in Behaviour)
    assert hold < 1.0 < free < intensive
    assert hold < half


def test_a_half_hold_is_still_at_first_and_breathes_at_the_end(subjects, rng):
    early, late = [], []
    for person in subjects:
        move = person.displacement(Behaviour.HALF, TIMES, 2, rng)
        early.append(np.ptp(move[:, :4], axis=1).mean())
        late.append(np.ptp(move[:, 5:], axis=1).mean())
    assert np.median(early) < 0.5 < 2 < np.median(late)


@pytest.mark.parametrize("behaviour", Behaviour)
def test_each_slice_has_a_breath_of_its_own_and_the_seed_repeats_it(behaviour):
    person = Breathing.draw(np.random.default_rng(3))
    first = person.displacement(behaviour, TIMES, 5, np.random.default_rng(4))
    again = person.displacement(behaviour, TIMES, 5, np.random.default_rng(4))
    assert first.shape == (5, 11)
    assert np.isfinite(first).all()
    assert (first == again).all()
    assert len(np.unique(first[:, -1])) == 5


def test_behaviours_carry_the_challenges_numbers():
    assert [(b.value, b.label) for b in Behaviour] == [
        (1, "hold"), (2, "half"), (3, "free"), (4, "intensive"),
    ]  # fmt: skip

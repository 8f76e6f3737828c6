"""The order of reading: stable, shuffled by a seed, with repeats far enough apart."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from MotionQALib.reading.cases import Case
from MotionQALib.reading.score_entry import ItemKey, ScoreEntry
from MotionQALib.reading.study import Study
from MotionQALib.reading.worklist import Worklist


def cases_of(n, batch=0, n_slices=3):
    return [Case(f"voxels:{batch}-{i}", f"c{i}", None, "s", 1, n_slices, batch) for i in range(n)]


def study_of(**settings):
    return Study("unused", salt="s", created="c", **settings)


def keys(reading):
    return [item.key for item in reading.items]


def entries_of(*given_places, seconds=None):
    return {
        p: ScoreEntry(p, "anna", 3, seconds=seconds, time=f"2026-01-01T00:00:{n:02}")
        for n, p in enumerate(given_places)
    }


def test_listed_and_shuffled():
    cases = cases_of(30)
    listed = Worklist(study_of(order="listed"), cases)
    assert [item.case for item in listed.items] == cases
    shuffled = keys(Worklist(study_of(seed=1), cases))
    assert shuffled != keys(listed) and sorted(shuffled) == sorted(keys(listed))
    assert keys(Worklist(study_of(seed=1), cases[::-1])) == shuffled
    assert keys(Worklist(study_of(seed=2), cases)) != shuffled


def test_a_study_of_slices_reads_a_volumes_slices_together():
    reading = Worklist(study_of(level="slice", order="listed"), cases_of(2))
    assert [(i.number, i.key.slice) for i in reading.items] == [
        (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)
    ]  # fmt: skip


def test_names_are_hidden_when_blinded():
    assert Worklist(study_of(), cases_of(1)).items[0].name is None
    assert Worklist(study_of(blinded=False), cases_of(1)).items[0].name == "c0"


STUDIES = st.builds(
    study_of,
    order=st.sampled_from(["listed", "shuffled", "uncertain"]),
    seed=st.integers(0, 5),
    repeats=st.sampled_from([0.0, 0.1, 0.34, 0.5]),
    repeat_distance=st.integers(1, 30),
)


@given(STUDIES, st.lists(st.integers(1, 40), min_size=1, max_size=3), st.data())
def test_repeats_come_back_far_enough_and_every_case_is_read(study, sizes, data):
    cases = [case for batch, n in enumerate(sizes) for case in cases_of(n, batch)]
    values = st.lists(st.floats(0, 1), min_size=len(cases), max_size=len(cases))
    uncertainties = dict(zip((c.key for c in cases), data.draw(values), strict=True))
    order = keys(Worklist(study, cases, uncertainties))
    assert len(set(order)) == len(order)
    firsts = [key for key in order if key.repeat == 0]
    assert sorted(key.case for key in firsts) == sorted(case.key for case in cases)
    again = [key for key in order if key.repeat]
    assert len(again) == sum(round(study.repeats * n) for n in sizes)
    least = min(study.repeat_distance, min(sizes) // 2)
    for key in again:
        first = order.index(key._replace(repeat=0))
        between = [p for p in order[first + 1 : order.index(key)] if p.repeat == 0]
        assert len(between) >= min(least, len(cases) - len(again))


@given(STUDIES.filter(lambda s: s.order != "uncertain"), st.integers(1, 40), st.integers(1, 40))
def test_cases_added_later_change_nothing_before_them(study, n, more):
    before = keys(Worklist(study, cases_of(n)))
    after = keys(Worklist(study, cases_of(n) + cases_of(more, batch=1)))
    assert after[: len(before)] == before


def test_repeats_are_drawn_by_the_seed():
    cases = cases_of(100)
    chosen = {
        seed: frozenset(p for p in keys(Worklist(study_of(seed=seed, repeats=0.1), cases))
                        if p.repeat)
        for seed in (0, 1)
    }  # fmt: skip
    assert len(chosen[0]) == 10 and chosen[0] != chosen[1]


def test_a_repeat_looks_like_any_other_item():
    reading = Worklist(study_of(repeats=0.3), cases_of(20))
    assert [item.number for item in reading.items] == list(range(1, 27))


def test_the_most_uncertain_comes_first_and_the_ungraded_last():
    cases = cases_of(4) + cases_of(1, batch=1)
    known = {cases[2].key: 0.9, cases[4].key: 0.5, cases[0].key: 0.0}
    order = keys(Worklist(study_of(order="uncertain"), cases, known))
    assert [key.case for key in order[:3]] == [cases[2].key, cases[4].key, cases[0].key]


def test_it_is_finished_when_all_that_can_be_read_is_scored():
    reading = Worklist(study_of(order="listed"), cases_of(4))
    p = keys(reading)
    assert reading.finished(entries_of(*p)) and not reading.finished(entries_of(*p[:3]))
    assert not Worklist(study_of(), []).finished({})
    lost = {p[3].case}
    assert reading.finished(entries_of(*p[:3]), lost)
    assert not reading.finished(entries_of(*p[:2]), lost)
    assert reading.progress(entries_of(*p[:2]), lost)[:2] == (2, 3)
    assert reading.progress(entries_of(*p), lost)[:2] == (4, 4)
    assert not reading.finished({}, {key.case for key in p})


def test_progress_tells_the_time_left_from_active_reading():
    reading = Worklist(study_of(order="listed"), cases_of(10))
    p = keys(reading)
    assert reading.progress(entries_of(*p[:2], seconds=60)) == (2, 10, None)
    assert reading.progress(entries_of(*p[:4], seconds=60)) == (4, 10, 360)
    foreign = entries_of(ItemKey("voxels:other"), *p[:3], seconds=10)
    assert reading.progress(foreign) == (3, 10, 70)
    long_ago = {k: replace(e, seconds=500) for k, e in entries_of(*p[:1]).items()}
    assert reading.progress({**entries_of(*p[:4], seconds=10), **long_ago}).seconds_left == 795

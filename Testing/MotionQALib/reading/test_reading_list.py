"""The order of reading: stable, shuffled by a seed, with repeats far enough apart."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from MotionQALib.reading.cases import Case
from MotionQALib.reading.entry import Entry, Place
from MotionQALib.reading.reading_list import ReadingList
from MotionQALib.reading.study import Study


def cases_of(n, batch=0, n_slices=3):
    return [Case(f"voxels:{batch}-{i}", f"c{i}", None, "s", 1, n_slices, batch) for i in range(n)]


def study_of(**settings):
    return Study("unused", salt="s", created="c", **settings)


def places(reading):
    return [item.place for item in reading.items]


def entries_of(*given_places, seconds=None):
    return {
        p: Entry(p, "anna", 3, seconds=seconds, time=f"2026-01-01T00:00:{n:02}")
        for n, p in enumerate(given_places)
    }


def test_listed_and_shuffled():
    cases = cases_of(30)
    listed = ReadingList(study_of(order="listed"), cases)
    assert [item.case for item in listed.items] == cases
    shuffled = places(ReadingList(study_of(seed=1), cases))
    assert shuffled != places(listed) and sorted(shuffled) == sorted(places(listed))
    assert places(ReadingList(study_of(seed=1), cases[::-1])) == shuffled
    assert places(ReadingList(study_of(seed=2), cases)) != shuffled


def test_a_study_of_slices_reads_a_volumes_slices_together():
    reading = ReadingList(study_of(level="slice", order="listed"), cases_of(2))
    assert [(i.number, i.place.slice) for i in reading.items] == [
        (1, 0), (1, 1), (1, 2), (2, 0), (2, 1), (2, 2)
    ]  # fmt: skip


def test_names_are_hidden_when_blinded():
    assert ReadingList(study_of(), cases_of(1)).items[0].name is None
    assert ReadingList(study_of(blinded=False), cases_of(1)).items[0].name == "c0"


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
    order = places(ReadingList(study, cases, uncertainties))
    assert len(set(order)) == len(order)
    firsts = [place for place in order if place.repeat == 0]
    assert sorted(place.case for place in firsts) == sorted(case.key for case in cases)
    again = [place for place in order if place.repeat]
    assert len(again) == sum(round(study.repeats * n) for n in sizes)
    least = min(study.repeat_distance, min(sizes) // 2)
    for place in again:
        first = order.index(place._replace(repeat=0))
        between = [p for p in order[first + 1 : order.index(place)] if p.repeat == 0]
        assert len(between) >= min(least, len(cases) - len(again))


@given(STUDIES.filter(lambda s: s.order != "uncertain"), st.integers(1, 40), st.integers(1, 40))
def test_cases_added_later_change_nothing_before_them(study, n, more):
    before = places(ReadingList(study, cases_of(n)))
    after = places(ReadingList(study, cases_of(n) + cases_of(more, batch=1)))
    assert after[: len(before)] == before


def test_repeats_are_drawn_by_the_seed():
    cases = cases_of(100)
    chosen = {
        seed: frozenset(p for p in places(ReadingList(study_of(seed=seed, repeats=0.1), cases))
                        if p.repeat)
        for seed in (0, 1)
    }  # fmt: skip
    assert len(chosen[0]) == 10 and chosen[0] != chosen[1]


def test_a_repeat_looks_like_any_other_item():
    reading = ReadingList(study_of(repeats=0.3), cases_of(20))
    assert [item.number for item in reading.items] == list(range(1, 27))


def test_the_most_uncertain_comes_first_and_the_ungraded_last():
    cases = cases_of(4) + cases_of(1, batch=1)
    known = {cases[2].key: 0.9, cases[4].key: 0.5, cases[0].key: 0.0}
    order = places(ReadingList(study_of(order="uncertain"), cases, known))
    assert [place.case for place in order[:3]] == [cases[2].key, cases[4].key, cases[0].key]


def test_it_is_finished_when_all_that_can_be_read_is_scored():
    reading = ReadingList(study_of(order="listed"), cases_of(4))
    p = places(reading)
    assert reading.finished(entries_of(*p)) and not reading.finished(entries_of(*p[:3]))
    assert not ReadingList(study_of(), []).finished({})
    lost = {p[3].case}
    assert reading.finished(entries_of(*p[:3]), lost)
    assert not reading.finished(entries_of(*p[:2]), lost)
    assert reading.progress(entries_of(*p[:2]), lost)[:2] == (2, 3)
    assert reading.progress(entries_of(*p), lost)[:2] == (4, 4)
    assert not reading.finished({}, {place.case for place in p})


def test_progress_tells_the_time_left_from_active_reading():
    reading = ReadingList(study_of(order="listed"), cases_of(10))
    p = places(reading)
    assert reading.progress(entries_of(*p[:2], seconds=60)) == (2, 10, None)
    assert reading.progress(entries_of(*p[:4], seconds=60)) == (4, 10, 360)
    foreign = entries_of(Place("voxels:other"), *p[:3], seconds=10)
    assert reading.progress(foreign) == (3, 10, 70)
    long_ago = {k: replace(e, seconds=500) for k, e in entries_of(*p[:1]).items()}
    assert reading.progress({**entries_of(*p[:4], seconds=10), **long_ago}).seconds_left == 795

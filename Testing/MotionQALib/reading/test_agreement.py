"""Who is compared with whom, what is listed, and `motionqa agreement`."""

import json
import time

import numpy as np
import pytest

from MotionQALib import cli, reports
from MotionQALib.bootstrap import SubjectDraws
from MotionQALib.reading.agreement import agreement
from MotionQALib.reading.agreement_statistics import all_statistics
from MotionQALib.reading.case_list import CaseList
from MotionQALib.reading.durable_lines import DurableLines
from MotionQALib.reading.errors import ReadingError
from MotionQALib.reading.network_grades import NetworkGrades
from MotionQALib.reading.score_entry import ItemKey
from MotionQALib.reading.scores import ScoreLog
from MotionQALib.reading.study import Study
from MotionQALib.reading.study_scores import StudyScores
from MotionQALib.reading.worklist import Worklist
from MotionQALib.results import Assessment

NAMES = [f"P{person:03}-{take}-ED" for person in (1, 2, 3) for take in (1, 2, 3, 4)]
ANNA = dict(zip(NAMES, (5, 4, 3, 2, 1, 5, 4, 3, 2, 1, 5, 4), strict=True))
BEN = {**ANNA, "P001-1-ED": 4, "P002-1-ED": 3, "P003-4-ED": 1}


seen = StudyScores.for_coordinator


@pytest.fixture
def scored(filled, read_as):
    read_as(filled, "anna", {**ANNA, ("P001-1-ED", 1): 5, ("P002-2-ED", 1): 3})
    read_as(filled, "ben", BEN)
    return filled


@pytest.fixture
def grades(scored):
    """The network's grades: anna's, each with the same doubt."""
    assessments = []
    for case in CaseList(scored).cases:
        sure = 0.6 * np.eye(5)[ANNA[case.name] - 1] + 0.08
        assessments.append(
            Assessment(
                volume=case.name,
                source=None,
                identity=None,
                checkpoint="stub",
                notice="",
                probabilities=np.tile(sure, (1, 3, 1)),
                volume_probabilities=sure,
                uncertain=np.zeros((1, 3), dtype=bool),
                volume_uncertain=False,
                device="cpu",
                precision="fp32",
                seconds=0.1,
            )
        )
    return assessments


def by_kind(report, scale="score"):
    return {(c.kind, *c.raters): c for c in report.comparisons if c.scale == scale}


def test_readers_are_compared_with_each_other_and_themselves(scored):
    report = agreement(seen(scored))
    found = by_kind(report)
    assert list(found) == [("readers", "anna", "ben"), ("self", "anna", "anna")]
    pair = found["readers", "anna", "ben"]
    assert (pair.n, pair.subjects) == (12, 3)
    assert pair.values["agreement"].value == pytest.approx(9 / 12)
    assert pair.confusion.sum() == 12 and pair.confusion[4, 3] == 1 and pair.confusion[3, 4] == 0
    low, high = pair.values["quadratic_kappa"].low, pair.values["quadratic_kappa"].high
    assert low <= pair.values["quadratic_kappa"].value <= high
    assert found["self", "anna", "anna"].n == 2
    assert by_kind(report, "grade")["readers", "anna", "ben"].confusion.shape == (3, 3)


def test_disagreements_of_two_scores_are_listed_worst_first(scored):
    listed = agreement(seen(scored)).disagreements
    assert [(d.image, d.scores) for d in listed] == [
        ("P003-4-ED", {"anna": 4, "ben": 1}),
        ("P002-1-ED", {"anna": 1, "ben": 3}),
        ("P002-2-ED", {"anna": 5, "anna (2nd)": 3, "ben": 5}),
    ]


def test_the_same_seed_gives_the_same_intervals(scored):
    one, same, other = (
        by_kind(agreement(seen(scored), seed=seed, resamples=20))["readers", "anna", "ben"].values[
            "ac2"
        ]
        for seed in (1, 1, 2)
    )
    assert one == same and one != other


def test_three_readers_with_gaps_and_grades(scored, read_as):
    read_as(scored, "cleo", {"P001-1-ED": 5, "P003-1-ED": 2})
    with ScoreLog.open(scored, "challenge") as log:
        log.save(ItemKey(CaseList(scored).cases[0].key), grade="mild")
    report = agreement(seen(scored), resamples=50)
    everyone = by_kind(report)["all", "anna", "ben", "challenge", "cleo"]
    assert everyone.n == 12 and everyone.confusion is None
    assert np.isnan(everyone.values["icc"].value)  # no item has all four scores
    assert ("readers", "anna", "challenge") not in by_kind(report)
    assert by_kind(report, "grade")["readers", "anna", "challenge"].n == 1


def test_values_and_intervals_speak_of_the_same_ratings(filled, read_as):
    """AC2's chance counts what only one of two has rated, in the value as in the resamples."""
    read_as(filled, "anna", ANNA)
    read_as(filled, "ben", {**{name: ANNA[name] for name in NAMES[:3]}, NAMES[0]: 3})
    ratings = np.full((12, 2), -1)
    ratings[:, 0] = np.array(list(ANNA.values())) - 1
    ratings[:3, 1] = ratings[:3, 0]
    ratings[0, 1] -= 2
    pair = by_kind(agreement(seen(filled), resamples=0))["readers", "anna", "ben"]
    whole = all_statistics(ratings, np.ones((1, 12)), 5)
    assert pair.n == 3 and pair.subjects == 1
    assert {k: v.value for k, v in pair.values.items()} == pytest.approx(
        {k: v[0] for k, v in whole.items()}
    )
    rated_by_both = all_statistics(ratings[:3], np.ones((1, 3)), 5)
    assert whole["ac2"] != pytest.approx(rated_by_both["ac2"])


def test_the_network_is_compared_by_its_files(scored, grades, tmp_path):
    reports.write_json(grades, tmp_path / "g.json")
    reports.write_csv(grades, tmp_path / "g.csv")
    cases = CaseList(scored)
    for file in ("g.json", "g.csv"):
        network = NetworkGrades.read(tmp_path / file, cases)
        assert network.remarks == () and len(network.assessments) == 12
        found = by_kind(agreement(seen(scored), network=network, resamples=0))
        assert found["network", "anna", "network"].values["linear_kappa"].value == 1
        assert found["network", "ben", "network"].values["agreement"].value == 0.75
        doubts = {round(doubt, 6) for doubt in network.uncertainties("volume").values()}
        assert doubts == {0.24, 0.32}  # two scores make mild and severe, one makes moderate


def test_grades_that_fit_no_case_are_named(scored, grades, tmp_path):
    from dataclasses import replace

    strange = [
        replace(grades[0], volume="stranger"),
        replace(grades[1], probabilities=np.full((2, 3, 5), 0.2), uncertain=np.zeros((2, 3), bool)),
        grades[2],
        grades[2],
    ]
    network = NetworkGrades.of(strange, CaseList(scored))
    assert [remark.split(" was graded")[0] for remark in network.remarks] == [
        "stranger",
        "P001-2-ED",
        "P001-3-ED",
    ]
    assert len(network.assessments) == 1


def test_the_network_is_found_by_content_and_by_file(scored, grades):
    from dataclasses import replace

    cases = CaseList(scored)
    case = cases.cases[5]
    for known in (
        {"identity": case.key},
        {"source": str(cases.file_of(case))},
    ):
        network = NetworkGrades.of([replace(grades[0], volume="renamed", **known)], cases)
        assert list(network.assessments) == [case.key]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("g.json", "{", "is not what motionqa assess --json writes"),
        ("g.json", '{"assessments": [{}]}', "is not what motionqa assess --json writes"),
        ("g.csv", "volume,score\na,3\n", "line 2 is not what motionqa assess --csv writes"),
        ("g.csv", "volume,frame,slice,p1,p2,p3,p4,p5\na,0,0,1,0,0,0,0\n", "lacks rows of a"),
        ("missing.json", None, "cannot be read"),
    ],
)
def test_other_files_are_not_taken_for_grades(scored, tmp_path, name, content, said):
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(ReadingError, match=said):
        NetworkGrades.read(tmp_path / name, CaseList(scored))


def test_slices_of_a_subject_are_drawn_together(tmp_path, make_case):
    """Copies of one subject's slice say nothing new: the interval must not shrink."""
    widths = {}
    for copies in (1, 50):
        study = Study.create(tmp_path / str(copies), level="slice")
        with DurableLines.create(study.cases_file, "The cases") as lines:
            for person in range(12):
                case = make_case(f"voxels:{person}", subject=f"s{person}", n_slices=copies)
                lines.append(case.to_record())
        rng = np.random.default_rng(0)
        first, second = rng.integers(1, 6, (2, 12))
        for reader, scores in (("anna", first), ("ben", second)):
            with ScoreLog.open(study, reader) as log:
                for item in Worklist(study, CaseList(study).cases).items:
                    person = int(item.key.case.partition(":")[2])
                    log.save(item.key, int(scores[person]))
        value = by_kind(agreement(seen(study)))["readers", "anna", "ben"].values["quadratic_kappa"]
        widths[copies] = value.high - value.low
    assert widths[50] == pytest.approx(widths[1])


def test_nobody_has_scored_yet(filled):
    with pytest.raises(ReadingError, match="Nobody has scored"):
        agreement(seen(filled))


def test_it_is_fast_enough_for_the_thread_that_draws(scored):
    """Five readers, 3,000 slices of 150 subjects: the panel computes it on Slicer's only thread."""
    rng = np.random.default_rng(0)
    ratings = rng.integers(-1, 5, (3000, 5))
    start = time.perf_counter()
    all_statistics(ratings, SubjectDraws(np.arange(3000) // 20, 1000, rng), 5)
    assert time.perf_counter() - start < 3  # a tenth of that on an idle core


# The command


@pytest.fixture
def run(capfd):
    def command(*arguments):
        status = cli.main(["agreement", *map(str, arguments)])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        return status, out, err

    return command


def test_the_command_prints_and_writes(run, scored, grades, tmp_path):
    reports.write_json(grades, tmp_path / "g.json")
    page, numbers = tmp_path / "a.html", tmp_path / "a.json"
    status, out, err = run(
        scored.folder, "--network", tmp_path / "g.json", "--html", page, "--json", numbers
    )
    assert (status, err) == (0, "")
    assert out.startswith("study: scores of anna (14), ben (12)\n")
    line = next(line for line in out.splitlines() if line.startswith("anna – ben"))
    assert line.split()[3:5] == ["12", "75.0"]
    assert "P003-4-ED: anna 4, ben 1, network 4" in out
    content = json.loads(numbers.read_text("utf-8"))
    assert content["bootstrap"] == {"resamples": 1000, "seed": 0, "unit": "subject"}
    kinds = [(c["kind"], c["scale"]) for c in content["comparisons"]]
    assert kinds.count(("network", "score")) == 2 and ("self", "grade") in kinds
    html = page.read_text("utf-8")
    assert html.count("<svg") == 8 and "anna against ben: 9 of 12 equal" in html
    assert "http" not in html.replace("http-equiv", "")


def test_names_are_harmless_in_the_page(run, filled, tmp_path, read_as):
    read_as(filled, "anna", {"P001-1-ED": 5})
    record = filled.cases_file.read_text().replace("P001-1-ED", "<script>alert(1)</script>")
    filled.cases_file.write_text(record)
    key = CaseList(filled).cases[0].key
    with ScoreLog.open(filled, "ben") as log:
        log.save(ItemKey(key), 1)
    run(filled.folder, "--html", tmp_path / "a.html")
    assert "<script" not in (tmp_path / "a.html").read_text("utf-8")


def test_damage_is_named_and_is_status_1(run, scored):
    with (scored.scores_folder / "ben.jsonl").open("a") as file:
        file.write('{"half\n')
    status, out, err = run(scored.folder, "--resamples", "0")
    assert status == 1 and "anna – ben" in out
    assert err.startswith("Line 13 of ") and len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda study: study.folder / "nowhere", "holds no study"),
        (lambda study: study.folder, "Nobody has scored a case"),
    ],
)
def test_a_folder_that_cannot_be_compared_is_status_1(run, filled, prepare, said):
    status, out, err = run(prepare(filled))
    assert (status, out) == (1, "") and said in err and len(err.splitlines()) == 1


def test_one_reader_alone_is_status_1(run, filled, read_as):
    read_as(filled, "anna", ANNA)
    status, _, err = run(filled.folder)
    assert status == 1 and "nothing to compare yet" in err


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["DIR", "--seed", "x"],
        ["DIR", "--resamples", "-1"],
        ["DIR", "--html", "no/such/folder/a.html"],
        ["DIR", "--html", "same", "--json", "same"],
    ],
)
def test_bad_usage_is_status_2(run, scored, options, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*[scored.folder if option == "DIR" else option for option in options])
    assert (status, out) == (2, "") and err

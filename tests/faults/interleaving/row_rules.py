"""What must hold of the rows of an exam whenever the worker is at rest: attempts, results, histogram.

It imports nothing of the product's services or rules, so that it cannot repeat their mistakes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from tests.faults.interleaving.building import Scene
from tests.faults.interleaving.cases import deadline_of
from tests.faults.interleaving.marking import mark, rank, standing_of

Row = Mapping[str, Any]
Dump = Mapping[str, Sequence[Row]]

WITHOUT_TOTAL = ("absent", "incomplete", "void", "staff")
OVER = ("submitted", "graded")
RUNNING = ("in_progress", "paused")
FIGURES = (
    "calculate_user_analytics",
    "take_in_attempts",
    "request_exam_analytics",
    "refresh_test_statistics",
)
"""Jobs that compute figures of what is graded. Each may be done at any time, and again."""


def check_rows(scene: Scene, dump: Dump) -> list[str]:
    """What must hold of the rows at any time when the worker is at rest."""
    rules: tuple[Callable[[Scene, Dump], Iterator[str]], ...] = (
        _jobs_are_done,
        _attempts_have_one_shape,
        _deadlines_follow_the_formula,
        _one_official_attempt,
        _one_version_of_a_paper,
        _results_are_the_marks_of_what_stands,
        _histogram_is_the_sum_of_results,
        _cancelled_or_released_exams_are_still,
        _official_results_are_right,
    )
    return [sentence for rule in rules for sentence in rule(scene, dump)]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _attempts_have_one_shape(_: Scene, dump: Dump) -> Iterator[str]:
    for row in dump["attempts"]:
        status = row["status"]
        if status == "paused" and row["paused_at"] is None:
            yield "an attempt is paused without a time"
        if status == "in_progress" and row["paused_at"] is not None:
            yield f"an attempt is {status} with paused_at {row['paused_at']}"
        if (status in RUNNING) != (row["submitted_at"] is None):
            yield f"an attempt is {status} with submitted_at {row['submitted_at']}"
        if status == "void" and row["voided_from"] is None:
            yield "an attempt is void, and what it was before is not known"
        if (status in RUNNING) != (row["closed_by"] is None):
            yield f"an attempt is {status} with closed_by {row['closed_by']}"


def _deadlines_follow_the_formula(scene: Scene, dump: Dump) -> Iterator[str]:
    ends = {row["id"]: moment(row["ends_at"]) for row in dump["papers"]}
    for row in dump["attempts"]:
        if row["practice"]:
            continue
        given = sum(each["seconds"] for each in row["additions"])
        expected = deadline_of(
            moment(row["started_at"]), ends[row["exam_paper_id"]], row["accommodation_seconds"]
        ) + timedelta(seconds=given)
        if abs(expected - moment(row["deadline_at"])) > timedelta(microseconds=10):
            yield f"a deadline is {row['deadline_at']} and not {expected.isoformat()}: {row}"
        if any(each["seconds"] < 0 for each in row["additions"]):
            yield f"negative time was given: {row['additions']}"


def _one_official_attempt(_: Scene, dump: Dump) -> Iterator[str]:
    official = [row for row in dump["attempts"] if not row["practice"]]
    for person, count in Counter((row["user_id"], row["exam_paper_id"]) for row in official).items():
        if count > 1:
            yield f"{person} has {count} official attempts"
    running = [row for row in dump["attempts"] if row["status"] in RUNNING]
    for person, count in Counter((row["user_id"], row["exam_paper_id"]) for row in running).items():
        if count > 1:
            yield f"{person} has {count} attempts under way"
    registered = {row["id"] for row in dump["registrations"]}
    for row in official:
        if row["registration_id"] not in registered:
            yield f"an official attempt belongs to no registration: {row['id']}"


def _one_version_of_a_paper(_: Scene, dump: Dump) -> Iterator[str]:
    pinned = {row["id"]: row["paper_id"] for row in dump["papers"]}
    for row in dump["attempts"]:
        if row["paper_id"] != pinned[row["exam_paper_id"]]:
            yield "an attempt is at another version than its exam paper pins"


def _cancelled_or_released_exams_are_still(_: Scene, dump: Dump) -> Iterator[str]:
    exam = dump["exam"][0]
    official = [row for row in dump["attempts"] if not row["practice"]]
    if exam["cancelled_at"] is not None:
        for row in official:
            if row["status"] != "void":
                yield f"an attempt of a cancelled exam is {row['status']}"
    if exam["released_at"] is not None:
        for row in official:
            if row["status"] not in ("graded", "void"):
                yield f"an attempt of a released exam is {row['status']}"
    if exam["cancelled_at"] is not None and exam["released_at"] is not None:
        yield "an exam is both cancelled and released"


def _results_are_the_marks_of_what_stands(scene: Scene, dump: Dump) -> Iterator[str]:
    results = {row["attempt_id"]: row for row in dump["results"]}
    content_of = dict(zip(map(str, scene.paper_ids), scene.contents, strict=True))
    for row in dump["attempts"]:
        result = results.get(row["id"])
        if row["status"] in OVER and result is None:
            yield f"a {row['status']} attempt has no result"
        if row["status"] not in OVER and result is not None:
            yield f"an attempt that is {row['status']} has a result"
        if result is None:
            continue
        keys = content_of[row["exam_paper_id"]].keys(UUID(row["paper_id"]))
        events = [event for event in dump["events"] if event["attempt_id"] == row["id"]]
        yield from _wrong_marks(result, keys, standing_of(events))
        if result["paper_id"] != row["paper_id"]:
            yield "a result was marked by the key of another paper"
        if result["counted"] == row["practice"]:
            yield f"a result is counted: {result['counted']}, its attempt is practice: {row['practice']}"
        if result["cohort_id"] != row["exam_paper_id"] or result["user_id"] != row["user_id"]:
            yield f"a result is not its attempt's: {result}"


def _wrong_marks(result: Row, keys: Mapping[UUID, str], answers: Mapping[UUID, str]) -> Iterator[str]:
    expected, stored = mark(keys, answers), _score(result)
    if expected.score != stored:
        yield f"a result is {stored}, the answers that stand are worth {expected.score}"
    if result["answers"] != [[answers[each]] if each in answers else None for each in keys]:
        yield f"a result has the answers {result['answers']}, those that stand are {answers}"
    if result["outcomes"] != expected.outcomes or _marks(result) != expected.thirds:
        yield f"a result has {result['outcomes']} and {result['marks']}, the answers are {expected}"


def _marks(row: Row) -> tuple[Fraction, ...]:
    """The marks of each question, in thirds."""
    return tuple(Fraction(3 * int(part), int(row["marks_denominator"])) for part in row["marks"].split())


def _score(row: Row) -> Fraction:
    return Fraction(int(row["score_numerator"]), int(row["score_denominator"]))


def _histogram_is_the_sum_of_results(_: Scene, dump: Dump) -> Iterator[str]:
    expected = Counter((row["cohort_id"], _score(row)) for row in dump["results"] if row["counted"])
    stored = {
        (row["cohort_id"], Fraction(int(row["numerator"]), int(row["denominator"]))): row["candidates"]
        for row in dump["histogram"]
    }
    if expected != stored:
        shown = [{str(score): count for (_c, score), count in each.items()} for each in (stored, expected)]
        yield f"the histogram is {shown[0]}, the results are {shown[1]}"


def _official_results_are_right(scene: Scene, dump: Dump) -> Iterator[str]:
    version = dump["exam"][0]["results_version"]
    if version is None:
        if dump["official"] or dump["releases"]:
            yield "there are official results of an exam that was never released"
        return
    merit_papers = [row["id"] for row in dump["papers"] if row["counts_for_merit"]]
    scores = _scores_by_registration(dump)
    complete = {
        who: sum((papers[paper] for paper in merit_papers), Fraction(0))
        for who, papers in scores.items()
        if set(merit_papers) <= set(papers)
    }
    rows = {row["registration_id"]: row for row in dump["official"] if row["version"] == version}
    late = {row["id"] for row in dump["registrations"]} - set(rows)
    if late:
        yield f"{len(late)} registrations have no official result"
    for who, row in rows.items():
        if who in complete:
            totals = list(complete.values())
            expected = ("ranked", complete[who], rank(complete[who], totals))
            total = Fraction(int(row["total_numerator"]), int(row["total_denominator"] or 1))
            if (row["outcome"], total, row["rank"]) != expected:
                yield f"an official result is {(row['outcome'], total, row['rank'])} and not {expected}"
        elif row["rank"] is not None or row["outcome"] not in WITHOUT_TOTAL:
            yield f"who has not sat all papers is {row['outcome']} with rank {row['rank']}"
    ranked = next(row["participants"] for row in dump["releases"] if row["version"] == version)
    if ranked != len(complete):
        yield f"the release counts {ranked} participants, there are {len(complete)}"


def _scores_by_registration(dump: Dump) -> dict[str, dict[str, Fraction]]:
    results = {row["attempt_id"]: row for row in dump["results"] if row["counted"]}
    found: dict[str, dict[str, Fraction]] = {}
    for row in dump["attempts"]:
        if row["id"] in results and row["registration_id"]:
            papers = found.setdefault(row["registration_id"], {})
            papers[row["exam_paper_id"]] = _score(results[row["id"]])
    return found


def _jobs_are_done(_: Scene, dump: Dump) -> Iterator[str]:
    """Figures are asked for by other jobs, too, and may come later than the worker's one look."""
    for row in dump["jobs"]:
        if row["task"] in FIGURES and not row["error"]:
            continue
        if not row["finished"] or row["error"]:
            yield f"a job is not done: {row}"

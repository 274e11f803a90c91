"""What must hold after a case, from the rows alone: log, results, histogram, attempts, audit, messages.

It imports nothing of the product's services or rules, so that it cannot repeat their mistakes.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Protocol
from uuid import UUID

from tests.faults.interleaving.building import Scene
from tests.faults.interleaving.cases import Call, deadline_of
from tests.faults.interleaving.marking import mark, rank, standing_of

Row = Mapping[str, Any]
Dump = Mapping[str, Sequence[Row]]

OVER = ("submitted", "graded")
RUNNING = ("in_progress", "paused")


class Outcome(Protocol):
    """What became of a call; see `calls.Outcome`."""

    kind: str
    summary: dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """A run: the rows before and after, what both calls returned, and in which order they committed."""

    scene: Scene
    before: Dump
    after: Dump
    outcomes: Sequence[Outcome]
    commits: Sequence[int]

    @property
    def calls(self) -> Sequence[Call]:
        return self.scene.case.calls

    def succeeded(self, *names: str) -> Iterator[tuple[int, Call, Outcome]]:
        """The calls of these names that returned a value, in the order of their commits."""
        for number in self.commits:
            call, outcome = self.calls[number], self.outcomes[number]
            if outcome.kind == "value" and (call.name in names or not names):
                yield number, call, outcome


def check(facts: Facts) -> list[str]:
    """Everything that is wrong, one sentence each."""
    rules: tuple[Callable[[Facts], Iterator[str]], ...] = (
        _no_unexpected_error,
        _log_holds_what_was_acknowledged,
        _nothing_else_in_the_log,
        _time_left_survives_a_pause,
        _nobody_enters_after_the_end,
        _audit_says_what_was_done,
        _sockets_were_told,
        _jobs_were_asked_for,
    )
    found = [sentence for rule in rules for sentence in rule(facts)]
    return found + check_rows(facts.scene, facts.after)


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


def _no_unexpected_error(facts: Facts) -> Iterator[str]:
    for call, outcome in zip(facts.calls, facts.outcomes, strict=True):
        if outcome.kind == "failed":
            yield f"{call.name} failed: {outcome.summary['error']}"


# The log


def _identity(row: Row) -> tuple[str, str, int, int]:
    return row["attempt_id"], row["question_id"], row["lease"], row["revision"]


def _sent(facts: Facts, call: Call) -> list[dict[str, Any]]:
    """The events that a save would write; none if its person has no attempt."""
    attempt_id = facts.scene.attempts.get(call.person)
    questions = facts.scene.contents[0].question_ids
    return [
        {
            "attempt_id": str(attempt_id),
            "question_id": str(questions[each.question]),
            "lease": call.lease,
            "revision": each.revision,
            "answer": [each.option] if each.option else None,
        }
        for each in call.answers
        if attempt_id is not None
    ]


def _log_holds_what_was_acknowledged(facts: Facts) -> Iterator[str]:
    log = {_identity(row): row for row in facts.after["events"]}
    for row in facts.before["events"]:
        now = log.get(_identity(row))
        if now is None:
            yield f"an answer was lost from the log: {row}"
        elif not row["late"] and (now["late"] or now["answer"] != row["answer"]):
            yield f"an answer in the log was changed: {row} is {now}"
    for _, call, outcome in facts.succeeded("save"):
        counted = [
            event
            for event in _sent(facts, call)
            if (row := log.get(_identity(event))) and not row["late"] and row["answer"] == event["answer"]
        ]
        acknowledged = outcome.summary["stored"] + outcome.summary["known"]
        if len(counted) < acknowledged:
            yield f"{acknowledged} answers were acknowledged, {len(counted)} are in the log and count"


def _nothing_else_in_the_log(facts: Facts) -> Iterator[str]:
    allowed = {_identity(row) for row in facts.before["events"]}
    for call, outcome in zip(facts.calls, facts.outcomes, strict=True):
        if call.name == "save" and (outcome.kind == "value" or outcome.summary.get("recorded")):
            allowed |= {_identity(event) for event in _sent(facts, call)}
    for row in facts.after["events"]:
        if _identity(row) not in allowed:
            yield f"the log has an answer of a save that was refused: {row}"
    admitted = any(True for _ in facts.succeeded("admit-late"))
    before = {_identity(row): row["late"] for row in facts.before["events"]}
    saved = {_identity(event) for _, call, _o in facts.succeeded("save") for event in _sent(facts, call)}
    for row in facts.after["events"]:
        was_late = before.get(_identity(row), False)
        if was_late and not row["late"] and not admitted and _identity(row) not in saved:
            yield f"a late answer counts that nobody has admitted: {row}"


# Attempts


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _attempts_have_one_shape(_: Scene, dump: Dump) -> Iterator[str]:
    for row in dump["attempts"]:
        status = row["status"]
        if (status == "paused") != (row["paused_at"] is not None):
            yield f"an attempt is {status} with paused_at {row['paused_at']}"
        if (status in RUNNING) != (row["submitted_at"] is None):
            yield f"an attempt is {status} with submitted_at {row['submitted_at']}"
        if (status in RUNNING) != (row["closed_by"] is None):
            yield f"an attempt is {status} with closed_by {row['closed_by']}"


def _deadlines_follow_the_formula(scene: Scene, dump: Dump) -> Iterator[str]:
    ends = {row["id"]: _moment(row["ends_at"]) for row in dump["papers"]}
    for row in dump["attempts"]:
        if row["practice"]:
            continue
        given = sum(each["seconds"] for each in row["additions"])
        expected = deadline_of(
            _moment(row["started_at"]), ends[row["exam_paper_id"]], row["accommodation_seconds"]
        ) + timedelta(seconds=given)
        if abs(expected - _moment(row["deadline_at"])) > timedelta(microseconds=10):
            yield f"a deadline is {row['deadline_at']} and not {expected.isoformat()}: {row}"
        if any(each["seconds"] < 0 for each in row["additions"]):
            yield f"negative time was given: {row['additions']}"


def _time_left_survives_a_pause(facts: Facts) -> Iterator[str]:
    moves_deadlines = ("extend", "accommodate", "reopen")
    if any(call.name in moves_deadlines for call in facts.calls):
        return
    before = {row["id"]: row for row in facts.before["attempts"]}
    after = {row["id"]: row for row in facts.after["attempts"]}
    for _, call, outcome in facts.succeeded("resume"):
        for attempt_id in outcome.summary["changed"]:
            was, now = before[attempt_id], after[attempt_id]
            if was["paused_at"] is None:
                continue
            left = _moment(was["deadline_at"]) - _moment(was["paused_at"])
            if _moment(now["deadline_at"]) - call.now != left:
                yield f"{left} were left at the pause, {_moment(now['deadline_at']) - call.now} after it"


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


def _nobody_enters_after_the_end(facts: Facts) -> Iterator[str]:
    ended_by: str | None = None
    for _, call, outcome in facts.succeeded():
        if call.name in ("close", "cancel", "release"):
            ended_by = call.name
        elif call.name == "start" and ended_by and outcome.summary["is_new"]:
            if not outcome.summary["practice"]:
                yield f"an official attempt was started after {ended_by} had committed"


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


# Results


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
        expected, stored = mark(keys, standing_of(events)).score, _score(result)
        if expected != stored:
            yield f"a result is {stored}, the answers that stand are worth {expected}"
        if result["counted"] == row["practice"]:
            yield f"a result is counted: {result['counted']}, its attempt is practice: {row['practice']}"
        if result["cohort_id"] != row["exam_paper_id"] or result["user_id"] != row["user_id"]:
            yield f"a result is not its attempt's: {result}"


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
        who: sum(papers.values()) for who, papers in scores.items() if set(merit_papers) <= set(papers)
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
        elif row["rank"] is not None or row["outcome"] not in ("absent", "incomplete"):
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


# What was noted, told and asked for


def _audit_says_what_was_done(facts: Facts) -> Iterator[str]:
    expected: Counter[tuple[str, str | None]] = Counter()
    for _, call, outcome in facts.succeeded():
        action = {"end": "submit"}.get(call.name, call.name)
        if "changed" in outcome.summary:
            expected.update((action, attempt_id) for attempt_id in outcome.summary["changed"])
        elif call.name in ("accommodate", "postpone", "close"):
            expected[action, None] += 1
    exam_before, exam_after = facts.before["exam"][0], facts.after["exam"][0]
    for action, column in (("cancel", "cancelled_at"), ("release", "released_at")):
        if exam_before[column] is None and exam_after[column] is not None:
            expected[action, None] += 1
    stored = Counter((row["action"], row["attempt_id"]) for row in facts.after["audit"])
    published = stored.pop(("publish", None), 0)
    if stored != expected:
        yield f"the audit log has {dict(stored)} and not {dict(expected)}"
    asked = sum(1 for _ in facts.succeeded("publish"))
    if published > asked or (asked and not published and not facts.after["attempts"]):
        yield f"the audit log has {published} publications of {asked}"


TELLS = {"extend": "extended", "pause": "paused", "resume": "resumed", "end": "force_submitted"}


def _sockets_were_told(facts: Facts) -> Iterator[str]:
    persons = {row["id"]: row["user_id"] for row in facts.after["attempts"]}
    expected: Counter[tuple[str, str | None]] = Counter()
    counts_only: Counter[str] = Counter()
    for _, call, outcome in facts.succeeded():
        if call.name in TELLS or call.name in ("void", "reopen"):
            kind = TELLS.get(call.name, "attempt_changed")
            expected.update((kind, persons[each]) for each in outcome.summary["changed"])
        elif call.name == "close":
            counts_only["force_submitted"] += outcome.summary["ended"]
        elif call.name == "start" and not outcome.summary["is_new"]:
            expected["attempt_changed", persons[outcome.summary["attempt"]]] += 1
        elif call.name == "postpone":
            expected["announcement", None] += 1
    exam_before, exam_after = facts.before["exam"][0], facts.after["exam"][0]
    if exam_before["cancelled_at"] is None and exam_after["cancelled_at"] and exam_after["published_at"]:
        expected["announcement", None] += 1
    if exam_before["released_at"] is None and exam_after["released_at"] is not None:
        expected["results_released", None] += 1
    stored = Counter((row["type"], row["user_id"]) for row in facts.after["messages"])
    if any(True for _ in facts.succeeded("accommodate")):
        stored = Counter({key: count for key, count in stored.items() if key[0] != "extended"})
        expected = Counter({key: count for key, count in expected.items() if key[0] != "extended"})
    more: Counter[str] = Counter()
    for (kind, _user), count in (stored - expected).items():
        more[kind] += count
    if expected - stored or more != +counts_only:
        yield f"sockets were told {dict(stored)} and not {dict(expected)} and {dict(counts_only)}"


def _jobs_were_asked_for(facts: Facts) -> Iterator[str]:
    expected: Counter[str] = Counter()
    joined = len(facts.after["registrations"]) - len(facts.before["registrations"])
    expected["notify_registered"] += joined
    expected["notify_postponed"] += sum(1 for _ in facts.succeeded("postpone"))
    exam_before, exam_after = facts.before["exam"][0], facts.after["exam"][0]
    if exam_before["cancelled_at"] is None and exam_after["cancelled_at"] and exam_after["published_at"]:
        expected["notify_cancelled"] += 1
    if exam_before["released_at"] is None and exam_after["released_at"] is not None:
        expected["notify_results_released"] += 1
    stored = Counter(row["task"] for row in facts.after["jobs"] if row["task"] != "grade_attempts")
    submitted = stored.pop("notify_submitted", 0)
    if submitted > sum(1 for _ in facts.succeeded("submit")):
        yield f"{submitted} candidates are told that they have submitted"
    if stored != +expected:
        yield f"the outbox has {dict(stored)} and not {dict(+expected)}"


def _jobs_are_done(_: Scene, dump: Dump) -> Iterator[str]:
    for row in dump["jobs"]:
        if not row["finished"] or row["error"]:
            yield f"a job is not done: {row}"

"""What must hold after a case: what both calls returned is in the log, the audit, the messages, the outbox.

It imports nothing of the product's services or rules, so that it cannot repeat their mistakes. What must hold
of the rows alone is in `row_rules`.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.faults.interleaving.building import Scene
from tests.faults.interleaving.cases import Call
from tests.faults.interleaving.row_rules import FIGURES, Dump, Row, check_rows, moment


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

    def became(self, column: str) -> bool:
        """Whether the exam was cancelled or released by these calls."""
        return self.before["exam"][0][column] is None and self.after["exam"][0][column] is not None


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


def _no_unexpected_error(facts: Facts) -> Iterator[str]:
    for call, outcome in zip(facts.calls, facts.outcomes, strict=True):
        if outcome.kind == "failed":
            yield f"{call.name} failed: {outcome.summary['error']}"


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
            if (kept := log.get(_identity(event))) and not kept["late"] and kept["answer"] == event["answer"]
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


def _grants_in_a_published_exam(facts: Facts) -> int:
    """How many changes of grants candidates are told of: those that were made after the publication."""
    is_published = facts.before["exam"][0]["published_at"] is not None
    told = 0
    for _, call, outcome in facts.succeeded("accommodate", "publish"):
        is_published |= call.name == "publish"
        told += outcome.summary["grants_changed"] if call.name == "accommodate" and is_published else 0
    return told


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
            left = moment(was["deadline_at"]) - moment(was["paused_at"])
            if moment(now["deadline_at"]) - call.now != left:
                yield f"{left} were left at the pause, {moment(now['deadline_at']) - call.now} after it"


def _nobody_enters_after_the_end(facts: Facts) -> Iterator[str]:
    ended_by: str | None = None
    for _, call, outcome in facts.succeeded():
        if call.name in ("close", "cancel", "release"):
            ended_by = call.name
        elif call.name == "start" and ended_by and _is_new_and_official(outcome):
            yield f"an official attempt was started after {ended_by} had committed"


def _is_new_and_official(started: Outcome) -> bool:
    return bool(started.summary["is_new"]) and not started.summary["practice"]


def _audit_says_what_was_done(facts: Facts) -> Iterator[str]:
    expected: Counter[tuple[str, str | None]] = Counter()
    for _, call, outcome in facts.succeeded():
        action = {"end": "submit"}.get(call.name, call.name)
        if "changed" in outcome.summary:
            expected.update((action, attempt_id) for attempt_id in outcome.summary["changed"])
        if call.name == "accommodate":
            expected[action, None] += outcome.summary["grants_changed"]
        elif call.name in ("postpone", "close"):
            expected[action, None] += 1
    for action, column in (("cancel", "cancelled_at"), ("release", "released_at")):
        expected[action, None] += facts.became(column)
    expected.update(("cancel", attempt_id) for attempt_id in _voided_with_the_exam(facts))
    stored = Counter((row["action"], row["attempt_id"]) for row in facts.after["audit"])
    published = stored.pop(("publish", None), 0)
    if stored != +expected:
        yield f"the audit log has {dict(stored)} and not {dict(+expected)}"
    asked = sum(1 for _ in facts.succeeded("publish"))
    may_stand = facts.after["attempts"] or facts.after["exam"][0]["released_at"] is not None
    if published > asked or (asked and not published and not may_stand):
        yield f"the audit log has {published} publications of {asked}"


def _voided_with_the_exam(facts: Facts) -> list[str]:
    """The attempts that a cancellation has voided. In a cancelled exam all are void."""
    if not facts.became("cancelled_at"):
        return []
    void = {row["id"] for row in facts.before["attempts"] if row["status"] == "void"}
    void |= _changed_by(facts, "void")
    void -= _changed_by(facts, "reopen")
    return [row["id"] for row in facts.after["attempts"] if row["id"] not in void]


def _changed_by(facts: Facts, name: str) -> set[str]:
    return {id_ for _, _call, outcome in facts.succeeded(name) for id_ in outcome.summary["changed"]}


TELLS = {
    "extend": "extended",
    "pause": "paused",
    "resume": "resumed",
    "end": "force_submitted",
    "close": "force_submitted",
    "void": "attempt_changed",
    "reopen": "attempt_changed",
}

Told = Counter[tuple[str, str | None]]
"""How often a kind of message went to a person, or to everybody."""


def _sockets_were_told(facts: Facts) -> Iterator[str]:
    expected = _told_to_candidates(facts) + _told_to_everybody(facts)
    stored: Told = Counter((row["type"], row["user_id"]) for row in facts.after["messages"])
    more: Counter[str] = Counter()
    for (kind, _user), count in (stored - expected).items():
        more[kind] += count
    if expected - stored or more:
        yield f"sockets were told {dict(stored)} and not {dict(expected)}"


def _told_to_candidates(facts: Facts) -> Told:
    persons = {row["id"]: row["user_id"] for row in facts.after["attempts"]}
    expected: Told = Counter()
    for _, call, outcome in facts.succeeded():
        if call.name in TELLS:
            expected.update((TELLS[call.name], persons[each]) for each in outcome.summary["changed"])
        elif call.name == "accommodate":
            for user_id, seconds in outcome.summary["moved"]:
                expected["extended" if seconds > 0 else "attempt_changed", user_id] += 1
        elif call.name == "start" and not outcome.summary["is_new"]:
            expected["attempt_changed", persons[outcome.summary["attempt"]]] += 1
    expected.update(("attempt_changed", persons[each]) for each in _voided_with_the_exam(facts))
    return expected


def _told_to_everybody(facts: Facts) -> Told:
    announced = sum(1 for _ in facts.succeeded("postpone"))
    announced += facts.became("cancelled_at") and facts.after["exam"][0]["published_at"] is not None
    released = int(facts.became("released_at"))
    told: Told = Counter({("announcement", None): announced, ("results_released", None): released})
    return +told


def _ended(facts: Facts) -> set[str]:
    """The official attempts at the exam that these calls have ended."""
    ends = {row["id"]: row["submitted_at"] for row in facts.before["attempts"]}
    return {
        row["id"]
        for row in facts.after["attempts"]
        if row["status"] in ("submitted", "graded")
        and not row["practice"]
        and row["exam_paper_id"] is not None
        and row["submitted_at"] != ends.get(row["id"])
    }


def _confirmed(facts: Facts) -> set[str]:
    jobs = (row for row in facts.after["jobs"] if row["task"] == "notify_submitted")
    return {attempt_id for job in jobs for attempt_id in job["arguments"]["attempt_ids"]}


def _graded(facts: Facts) -> set[str]:
    """The attempts that these calls have graded for the first time."""
    earlier = {row["attempt_id"] for row in facts.before["results"]}
    return {row["attempt_id"] for row in facts.after["results"]} - earlier


def _with_figures(facts: Facts) -> set[str]:
    jobs = (row for row in facts.after["jobs"] if row["task"] == "calculate_user_analytics")
    return {attempt_id for job in jobs for attempt_id in job["arguments"]["attempt_ids"]}


def _jobs_were_asked_for(facts: Facts) -> Iterator[str]:
    expected: Counter[str] = Counter()
    joined = len(facts.after["registrations"]) - len(facts.before["registrations"])
    expected["notify_registered"] += joined
    expected["notify_postponed"] += sum(1 for _ in facts.succeeded("postpone"))
    if facts.after["exam"][0]["published_at"] is not None:
        expected["notify_cancelled"] += facts.became("cancelled_at")
    expected["notify_extra_time"] += _grants_in_a_published_exam(facts)
    expected["notify_results_released"] += facts.became("released_at")
    stored = Counter(row["task"] for row in facts.after["jobs"] if row["task"] != "grade_attempts")
    for task in ("notify_submitted", *FIGURES):
        stored.pop(task, None)
    if forgotten := _ended(facts) - _confirmed(facts):
        yield f"the end of {sorted(forgotten)} is confirmed to nobody"
    if without := _graded(facts) - _with_figures(facts):
        yield f"nobody computes figures of {sorted(without)}"
    if stored != +expected:
        yield f"the outbox has {dict(stored)} and not {dict(+expected)}"

"""Who may call what: every route of the application, the roles that may use it, and the objects it reaches.

A route that stands in no table here fails `test_access.py`. The tables say what the product promises; they
are not generated from its code.
"""

from dataclasses import dataclass
from enum import Enum

from tests.builders.world import Identity

Operation = tuple[str, str]
"""A method and a path template, such as `("GET", "/v1/tests/{test_id}")`."""

SIGNED_IN = frozenset(
    {
        Identity.CANDIDATE,
        Identity.OTHER_CANDIDATE,
        Identity.FOREIGN_AUTHOR,
        Identity.OWNER,
        Identity.EVALUATOR,
        Identity.PROCTOR,
        Identity.AUTHOR,
        Identity.OTHER_AUTHOR,
        Identity.ADMIN,
    }
)
CANDIDATES = frozenset(
    {Identity.CANDIDATE, Identity.OTHER_CANDIDATE, Identity.FOREIGN_AUTHOR, Identity.OWNER}
)
ATTEMPT_TOKENS = frozenset({Identity.ATTEMPT, Identity.PAPER_ATTEMPT, Identity.OTHER_ATTEMPT})
AUTHORS = frozenset({Identity.AUTHOR, Identity.OTHER_AUTHOR, Identity.ADMIN})


class Level(Enum):
    """Who may use a route at all."""

    PUBLIC = frozenset(Identity)
    SIGNED_IN = SIGNED_IN
    HOLDER = SIGNED_IN | ATTEMPT_TOKENS
    """Signed in, or with an attempt token."""
    AUTHORS = AUTHORS
    BANK = AUTHORS | {Identity.EVALUATOR}
    PROCTORS = AUTHORS | {Identity.PROCTOR}
    STAFF = AUTHORS | {Identity.PROCTOR, Identity.EVALUATOR}
    ADMINS = frozenset({Identity.ADMIN})


class Reach(Enum):
    """Of those who may use a route, who reaches the object that its path names."""

    INSTITUTE = frozenset(Identity)
    """Whoever may use the route."""
    TEAM = frozenset({Identity.AUTHOR, Identity.ADMIN})
    """Who made the exam or the test, and admins."""
    TEAM_AND_EVALUATORS = frozenset({Identity.AUTHOR, Identity.ADMIN, Identity.EVALUATOR})
    """These, and evaluators."""
    OWNER = frozenset({Identity.OWNER})
    """The person it belongs to."""
    ATTEMPT = frozenset({Identity.OWNER, Identity.ATTEMPT})
    """The candidate of the attempt at the test, with a login or with the token of that attempt."""
    PAPER_ATTEMPT = frozenset({Identity.OWNER, Identity.PAPER_ATTEMPT})
    """The candidate of the attempt at the exam paper, likewise."""
    IMAGE = frozenset({Identity.OWNER, Identity.ATTEMPT, Identity.EVALUATOR}) | AUTHORS
    """Who works on the bank, and who has an attempt at a paper that shows the image."""
    PLACE = SIGNED_IN - CANDIDATES | {Identity.OWNER}
    """Who is registered for the exam, or whose avatar it is, and staff."""
    EXAM_STAFF = AUTHORS | {Identity.PROCTOR}
    """Who acts on attempts of exams."""
    OBJECTIONS = SIGNED_IN - {Identity.OTHER_AUTHOR}
    """Candidates and proctors, who get their own; of those who read the bank, the team and evaluators."""
    ANNOUNCEMENTS = PLACE | {Identity.PAPER_ATTEMPT}
    """Who has a place, and who holds the token of an attempt at the exam."""
    NOBODY = frozenset[Identity]()
    """Nobody while the exam's results are not released."""


@dataclass(frozen=True)
class Rule:
    """Who may use a route, whose objects it reaches, and how everybody else is refused."""

    level: Level
    reach: Reach = Reach.INSTITUTE
    refused: int = 404
    """The status for who may use the route but does not reach the object."""


PUBLIC, ANYBODY = Rule(Level.PUBLIC), Rule(Level.SIGNED_IN)
AUTHOR, BANK, ADMIN = Rule(Level.AUTHORS), Rule(Level.BANK), Rule(Level.ADMINS)
PROCTOR, STAFF = Rule(Level.PROCTORS), Rule(Level.STAFF)
TEAM = Rule(Level.AUTHORS, Reach.TEAM, 403)
OWN = Rule(Level.SIGNED_IN, Reach.OWNER)
ATTEMPT, PAPER_ATTEMPT = Rule(Level.HOLDER, Reach.ATTEMPT), Rule(Level.HOLDER, Reach.PAPER_ATTEMPT)

OPERATIONS: dict[Operation, Rule] = {
    ("GET", "/v1/analytics/tests/{test_id}/items"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("GET", "/v1/analytics/tests/{test_id}/summary"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("GET", "/v1/analytics/tests/{test_id}/report"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("GET", "/v1/analytics/tests/{test_id}/similarity"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("POST", "/v1/analytics/tests/{test_id}/refresh"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("GET", "/v1/analytics/overview"): ANYBODY,
    ("GET", "/v1/analytics/test/{test_id}"): OWN,
    ("GET", "/v1/analytics/performance"): ANYBODY,
    ("GET", "/v1/analytics/recommendations"): ANYBODY,
    ("POST", "/v1/analytics/recommendations/{recommendation_id}/dismiss"): OWN,
    ("GET", "/v1/analytics/subject/{subject_id}"): ANYBODY,
    ("POST", "/v1/practice"): ANYBODY,
    # An attempt in an exam: evaluators read those at tests.
    ("GET", "/v1/attempts/{attempt_id}/timeline"): Rule(Level.STAFF, Reach.EXAM_STAFF),
    ("GET", "/v1/audit"): ADMIN,
    ("POST", "/v1/auth/confirm"): PUBLIC,
    ("POST", "/v1/auth/forgot-password"): PUBLIC,
    ("POST", "/v1/auth/login"): PUBLIC,
    ("POST", "/v1/auth/refresh"): PUBLIC,
    ("POST", "/v1/auth/register"): PUBLIC,
    ("POST", "/v1/auth/resend"): PUBLIC,
    ("POST", "/v1/auth/reset-password"): PUBLIC,
    ("POST", "/v1/auth/logout"): ANYBODY,
    ("GET", "/v1/auth/me"): ANYBODY,
    ("PUT", "/v1/auth/me"): ANYBODY,
    # A device belongs to whoever registers it last: its token is known to the device alone.
    ("PUT", "/v1/devices/{token}"): ANYBODY,
    ("DELETE", "/v1/devices/{token}"): OWN,
    ("GET", "/v1/column-mappings"): PROCTOR,
    ("DELETE", "/v1/column-mappings/{mapping_id}"): PROCTOR,
    ("GET", "/v1/exams"): ANYBODY,
    ("POST", "/v1/exams"): AUTHOR,
    ("GET", "/v1/exams/{exam_id}"): ANYBODY,
    ("PATCH", "/v1/exams/{exam_id}"): TEAM,
    ("GET", "/v1/exams/{exam_id}/accommodations"): PROCTOR,
    ("PUT", "/v1/exams/{exam_id}/accommodations"): PROCTOR,
    ("DELETE", "/v1/exams/{exam_id}/accommodations"): PROCTOR,
    ("GET", "/v1/exams/{exam_id}/announcements"): Rule(Level.HOLDER, Reach.ANNOUNCEMENTS),
    ("POST", "/v1/exams/{exam_id}/announcements"): PROCTOR,
    ("GET", "/v1/exams/{exam_id}/attempts"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/admit-late"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/extend"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/pause"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/reopen"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/resume"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/submit"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{attempt_id}/void"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/attempts/{verb}"): PROCTOR,
    ("GET", "/v1/exams/{exam_id}/audit"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/cancel"): TEAM,
    ("GET", "/v1/exams/{exam_id}/export"): TEAM,
    ("POST", "/v1/exams/{exam_id}/final-key"): TEAM,
    ("POST", "/v1/exams/{exam_id}/provisional-key"): TEAM,
    ("GET", "/v1/exams/{exam_id}/merit-list"): Rule(Level.PROCTORS, Reach.NOBODY, 409),
    ("GET", "/v1/exams/{exam_id}/monitor"): STAFF,
    ("GET", "/v1/exams/{exam_id}/no-shows"): PROCTOR,
    ("GET", "/v1/exams/{exam_id}/papers"): ANYBODY,
    ("POST", "/v1/exams/{exam_id}/papers"): TEAM,
    ("PATCH", "/v1/exams/{exam_id}/papers/{paper_id}"): TEAM,
    ("DELETE", "/v1/exams/{exam_id}/papers/{paper_id}"): TEAM,
    ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/attempt"): PAPER_ATTEMPT,
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/close"): PROCTOR,
    ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/key"): Rule(Level.SIGNED_IN, Reach.NOBODY, 409),
    ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/package"): Rule(Level.SIGNED_IN, Reach.PLACE, 409),
    ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/questions"): PAPER_ATTEMPT,
    ("GET", "/v1/exams/{exam_id}/papers/{paper_id}/response-sheet"): OWN,
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses"): PAPER_ATTEMPT,
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/responses/import"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/start"): Rule(Level.SIGNED_IN, Reach.PLACE, 409),
    ("POST", "/v1/exams/{exam_id}/papers/{paper_id}/submit"): PAPER_ATTEMPT,
    ("POST", "/v1/exams/{exam_id}/postpone"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/publish"): TEAM,
    # Registering makes a place of one's own.
    ("POST", "/v1/exams/{exam_id}/register"): ANYBODY,
    ("DELETE", "/v1/exams/{exam_id}/register"): ANYBODY,
    ("GET", "/v1/exams/{exam_id}/registrations"): PROCTOR,
    ("PATCH", "/v1/exams/{exam_id}/registrations/{roll_number}"): PROCTOR,
    # The papers are not over.
    ("GET", "/v1/exams/{exam_id}/registrations/{roll_number}/response-sheet"): Rule(
        Level.PROCTORS, Reach.NOBODY, 409
    ),
    ("POST", "/v1/exams/{exam_id}/registrations/{roll_number}/claim"): PROCTOR,
    ("POST", "/v1/exams/{exam_id}/release-results"): TEAM,
    ("GET", "/v1/exams/{exam_id}/results"): Rule(Level.SIGNED_IN, Reach.NOBODY, 409),
    ("GET", "/v1/exams/{exam_id}/result-sheet"): Rule(Level.SIGNED_IN, Reach.NOBODY, 409),
    ("GET", "/v1/exams/{exam_id}/certificate"): Rule(Level.SIGNED_IN, Reach.NOBODY, 409),
    ("POST", "/v1/exams/{exam_id}/result-sheets"): Rule(Level.PROCTORS, Reach.NOBODY, 409),
    ("GET", "/v1/exams/{exam_id}/result-sheets/{file_id}"): Rule(Level.PROCTORS, Reach.NOBODY, 409),
    ("GET", "/v1/exams/{exam_id}/result-sheets/{file_id}/file"): Rule(Level.PROCTORS, Reach.NOBODY, 409),
    ("GET", "/v1/health"): PUBLIC,
    ("GET", "/v1/health/db"): PUBLIC,
    ("GET", "/v1/health/ready"): PUBLIC,
    ("POST", "/v1/media"): AUTHOR,
    ("GET", "/v1/media/{media_id}"): Rule(Level.HOLDER, Reach.IMAGE),
    ("GET", "/v1/notifications"): ANYBODY,
    ("GET", "/v1/notifications/preferences"): ANYBODY,
    ("PUT", "/v1/notifications/preferences"): ANYBODY,
    ("POST", "/v1/notifications/read-all"): ANYBODY,
    # These take a signed token of the mail instead of a login.
    ("GET", "/v1/notifications/unsubscribe"): PUBLIC,
    ("POST", "/v1/notifications/unsubscribe"): PUBLIC,
    ("POST", "/v1/notifications/{notification_id}/read"): OWN,
    ("GET", "/v1/passages"): BANK,
    ("POST", "/v1/passages"): AUTHOR,
    ("GET", "/v1/passages/{passage_id}"): BANK,
    ("PATCH", "/v1/passages/{passage_id}"): AUTHOR,
    ("DELETE", "/v1/passages/{passage_id}"): AUTHOR,
    ("POST", "/v1/passages/{passage_id}/retire"): AUTHOR,
    ("GET", "/v1/institute"): ANYBODY,
    ("PATCH", "/v1/institute"): ADMIN,
    ("GET", "/v1/questions"): BANK,
    ("POST", "/v1/questions"): AUTHOR,
    ("POST", "/v1/questions/compile"): AUTHOR,
    ("GET", "/v1/questions/duplicates"): BANK,
    ("POST", "/v1/questions/export"): AUTHOR,
    ("POST", "/v1/questions/import"): AUTHOR,
    ("GET", "/v1/questions/template"): AUTHOR,
    ("GET", "/v1/questions/{question_id}"): BANK,
    ("PATCH", "/v1/questions/{question_id}"): AUTHOR,
    ("POST", "/v1/questions/{question_id}/retire"): AUTHOR,
    ("GET", "/v1/questions/{question_id}/versions/{version}/diff"): BANK,
    ("GET", "/v1/response-sheets/keys"): PUBLIC,
    # By the id on a printed document: there is none in this world.
    ("GET", "/v1/result-sheets/{document_id}"): Rule(Level.STAFF, Reach.NOBODY),
    ("GET", "/v1/subjects"): ANYBODY,
    ("POST", "/v1/subjects"): AUTHOR,
    ("GET", "/v1/subjects/{subject_id}"): ANYBODY,
    ("PATCH", "/v1/subjects/{subject_id}"): AUTHOR,
    ("DELETE", "/v1/subjects/{subject_id}"): AUTHOR,
    ("GET", "/v1/subjects/{subject_id}/chapters"): ANYBODY,
    ("POST", "/v1/subjects/{subject_id}/chapters"): AUTHOR,
    ("PATCH", "/v1/subjects/{subject_id}/chapters/{chapter_id}"): AUTHOR,
    ("DELETE", "/v1/subjects/{subject_id}/chapters/{chapter_id}"): AUTHOR,
    ("GET", "/v1/subjects/{subject_id}/analytics"): ANYBODY,
    ("GET", "/v1/subjects/{subject_id}/progress"): ANYBODY,
    ("GET", "/v1/tests"): ANYBODY,
    ("POST", "/v1/tests"): AUTHOR,
    ("GET", "/v1/tests/{test_id}"): ANYBODY,
    ("PATCH", "/v1/tests/{test_id}"): AUTHOR,
    ("POST", "/v1/tests/{test_id}/archive"): AUTHOR,
    ("POST", "/v1/tests/{test_id}/clone"): AUTHOR,
    ("GET", "/v1/tests/{test_id}/attempt"): ATTEMPT,
    ("GET", "/v1/tests/{test_id}/attempts"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("GET", "/v1/tests/{test_id}/attempts/{attempt_id}/response-sheet"): Rule(
        Level.BANK, Reach.TEAM_AND_EVALUATORS, 403
    ),
    ("GET", "/v1/tests/{test_id}/consents"): TEAM,
    ("PUT", "/v1/tests/{test_id}/consents/{user_id}"): TEAM,
    ("DELETE", "/v1/tests/{test_id}/consents/{user_id}"): TEAM,
    ("GET", "/v1/tests/{test_id}/key-revisions"): TEAM,
    ("POST", "/v1/tests/{test_id}/key-revisions"): TEAM,
    ("GET", "/v1/tests/{test_id}/key-revisions/{number}"): TEAM,
    ("DELETE", "/v1/tests/{test_id}/key-revisions/{number}"): TEAM,
    ("POST", "/v1/tests/{test_id}/key-revisions/{number}/publish"): TEAM,
    ("GET", "/v1/tests/{test_id}/objections"): Rule(Level.SIGNED_IN, Reach.OBJECTIONS, 403),
    # The attempts are in progress.
    ("POST", "/v1/tests/{test_id}/objections"): Rule(Level.SIGNED_IN, Reach.NOBODY, 403),
    ("GET", "/v1/tests/{test_id}/objections/clusters/{cluster_id}"): Rule(
        Level.BANK, Reach.TEAM_AND_EVALUATORS, 403
    ),
    ("POST", "/v1/tests/{test_id}/objections/decide"): Rule(Level.BANK, Reach.TEAM_AND_EVALUATORS, 403),
    ("DELETE", "/v1/tests/{test_id}/objections/{objection_id}"): OWN,
    ("GET", "/v1/tests/{test_id}/preview"): AUTHOR,
    ("GET", "/v1/tests/{test_id}/print"): AUTHOR,
    ("POST", "/v1/tests/{test_id}/publish"): AUTHOR,
    ("GET", "/v1/tests/{test_id}/questions"): ATTEMPT,
    ("GET", "/v1/tests/{test_id}/response-sheet"): OWN,
    ("POST", "/v1/tests/{test_id}/responses"): ATTEMPT,
    ("GET", "/v1/tests/{test_id}/result-sheet"): OWN,
    ("GET", "/v1/tests/{test_id}/results"): Rule(Level.SIGNED_IN, Reach.OWNER),
    ("POST", "/v1/tests/{test_id}/start"): ANYBODY,
    ("POST", "/v1/tests/{test_id}/submit"): ATTEMPT,
    ("GET", "/v1/time"): PUBLIC,
    ("GET", "/v1/users"): ADMIN,
    ("DELETE", "/v1/users/account"): ANYBODY,
    ("GET", "/v1/users/attempts"): ANYBODY,
    ("GET", "/v1/users/home"): ANYBODY,
    ("PUT", "/v1/users/avatar"): ANYBODY,
    ("DELETE", "/v1/users/avatar"): ANYBODY,
    ("POST", "/v1/users/export"): ANYBODY,
    ("GET", "/v1/users/exports/{export_id}"): OWN,
    ("GET", "/v1/users/exports/{export_id}/file"): OWN,
    ("GET", "/v1/users/profile"): ANYBODY,
    ("PUT", "/v1/users/profile"): ANYBODY,
    ("GET", "/v1/users/analytics"): ANYBODY,
    ("GET", "/v1/analytics/leaderboard"): ANYBODY,
    ("GET", "/v1/users/bookmarks"): ANYBODY,
    # Who has an attempt with the question that may be reviewed.
    ("PUT", "/v1/users/bookmarks/{question_id}"): OWN,
    ("DELETE", "/v1/users/bookmarks/{question_id}"): ANYBODY,
    ("GET", "/v1/users/progress"): ANYBODY,
    ("POST", "/v1/users/import"): ADMIN,
    ("PUT", "/v1/users/{user_id}/enrolment"): ADMIN,
    ("GET", "/v1/users/{user_id}/avatar"): Rule(Level.SIGNED_IN, Reach.PLACE),
    ("POST", "/v1/users/{user_id}/restore"): ADMIN,
    ("PUT", "/v1/users/{user_id}/role"): ADMIN,
    ("PUT", "/v1/users/{user_id}/status"): ADMIN,
    ("POST", "/v1/users/{user_id}/sign-out"): ADMIN,
    ("POST", "/v1/ws/ticket"): ANYBODY,
}
"""The operations of the OpenAPI document."""

OUTSIDE_THE_DOCUMENT: dict[Operation, Rule] = {
    ("GET", "/health"): PUBLIC,
    ("GET", "/health/db"): PUBLIC,
    ("GET", "/health/ready"): PUBLIC,
    # In production only with PUBLIC_DOCS (tests/api/test_docs.py).
    ("GET", "/docs"): PUBLIC,
    ("GET", "/docs/sockets"): PUBLIC,
    ("GET", "/docs/{file}"): PUBLIC,
    ("GET", "/asyncapi.json"): PUBLIC,
    ("GET", "/openapi.json"): PUBLIC,
}
"""Routes that the OpenAPI document leaves out."""

METRICS = {("GET", "/metrics"), ("GET", "/v1/metrics")}
"""From this machine, or with METRICS_TOKEN; no role opens them."""

SOCKETS: dict[str, Reach] = {
    "/ws/exam/{exam_id}": Reach.PLACE,
    "/ws/test/{test_id}": Reach.INSTITUTE,
    "/ws/notifications": Reach.INSTITUTE,
    "/ws/{rest}": Reach.NOBODY,
}
"""Sockets, each also below `/v1`; all of them need a login or a ticket."""

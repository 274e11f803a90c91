"""What happens when a POST is sent again: every POST of the API is in one of these groups.

A POST that makes something new each time, or adds to something, must take an `Idempotency-Key`. Put a new
route into `KEYED` and take `OnceUow` in its signature, or say in `HARMLESS` why a second call does no harm.
"""

KEYED = {
    "/v1/exams",
    "/v1/exams/{exam_id}/announcements",
    "/v1/exams/{exam_id}/attempts/{attempt_id}/extend",
    "/v1/exams/{exam_id}/attempts/{attempt_id}/reopen",
    "/v1/exams/{exam_id}/attempts/{verb}",
    "/v1/exams/{exam_id}/papers",
    "/v1/exams/{exam_id}/papers/{paper_id}/responses/import",
    "/v1/exams/{exam_id}/postpone",
    "/v1/media",
    "/v1/passages",
    "/v1/practice",
    "/v1/questions",
    "/v1/questions/import",
    "/v1/subjects",
    "/v1/subjects/{subject_id}/chapters",
    "/v1/tests",
    "/v1/tests/{test_id}/clone",
    "/v1/tests/{test_id}/key-revisions",
    "/v1/tests/{test_id}/objections",
    "/v1/tests/{test_id}/publish",
}
"""These take an `Idempotency-Key`."""

SAME_STATE = "the state is reached already, and the answer shows it or says that it is over"
OWN_NUMBERS = "the body carries numbers by which a repeated call is recognized"
ANYBODY = "the caller has no account yet by which a key could be kept, and nothing is made twice"

HARMLESS = {
    "/v1/analytics/recommendations/{recommendation_id}/dismiss": SAME_STATE,
    "/v1/analytics/tests/{test_id}/refresh": "the job that waits or runs is returned",
    "/v1/auth/confirm": ANYBODY,
    "/v1/auth/forgot-password": ANYBODY,
    "/v1/auth/login": ANYBODY,
    "/v1/auth/logout": SAME_STATE,
    "/v1/auth/refresh": "the parent of the active token returns the active token again",
    "/v1/auth/register": "the address is unique",
    "/v1/auth/resend": ANYBODY,
    "/v1/auth/reset-password": ANYBODY,
    "/v1/exams/{exam_id}/attempts/{attempt_id}/admit-late": SAME_STATE,
    "/v1/exams/{exam_id}/attempts/{attempt_id}/pause": SAME_STATE,
    "/v1/exams/{exam_id}/attempts/{attempt_id}/resume": SAME_STATE,
    "/v1/exams/{exam_id}/attempts/{attempt_id}/submit": SAME_STATE,
    "/v1/exams/{exam_id}/attempts/{attempt_id}/void": SAME_STATE,
    "/v1/exams/{exam_id}/cancel": SAME_STATE,
    "/v1/exams/{exam_id}/papers/{paper_id}/close": SAME_STATE,
    "/v1/exams/{exam_id}/papers/{paper_id}/responses": OWN_NUMBERS,
    "/v1/exams/{exam_id}/papers/{paper_id}/start": "the attempt in progress is returned",
    "/v1/exams/{exam_id}/papers/{paper_id}/submit": SAME_STATE,
    "/v1/exams/{exam_id}/publish": SAME_STATE,
    "/v1/exams/{exam_id}/register": "one registration for each person and exam",
    "/v1/exams/{exam_id}/registrations/{roll_number}/claim": SAME_STATE,
    "/v1/exams/{exam_id}/release-results": SAME_STATE,
    "/v1/exams/{exam_id}/provisional-key": SAME_STATE,
    "/v1/exams/{exam_id}/final-key": SAME_STATE,
    "/v1/tests/{test_id}/objections/decide": SAME_STATE,
    "/v1/exams/{exam_id}/result-sheets": "the same file is returned until it is downloaded",
    "/v1/notifications/read-all": SAME_STATE,
    "/v1/notifications/unsubscribe": SAME_STATE,
    "/v1/notifications/{notification_id}/read": SAME_STATE,
    "/v1/passages/{passage_id}/retire": SAME_STATE,
    "/v1/questions/compile": "nothing is stored",
    "/v1/questions/export": "nothing is made but a line of the audit log, which tells each export",
    "/v1/questions/{question_id}/retire": SAME_STATE,
    "/v1/tests/{test_id}/archive": SAME_STATE,
    "/v1/tests/{test_id}/key-revisions/{number}/publish": SAME_STATE,
    "/v1/tests/{test_id}/responses": OWN_NUMBERS,
    "/v1/tests/{test_id}/start": "the attempt in progress is returned",
    "/v1/tests/{test_id}/submit": SAME_STATE,
    "/v1/users/export": "the export that is being made, or waits for its download, is returned",
    "/v1/users/{user_id}/restore": SAME_STATE,
    "/v1/users/import": SAME_STATE,
    "/v1/users/{user_id}/sign-out": SAME_STATE,
    "/v1/ws/ticket": "a ticket is a secret of 30 seconds, which must not be stored; an unused one expires",
}
"""These ignore the header, for the reason given."""

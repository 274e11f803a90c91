"""When a deleted account is purged."""

from datetime import UTC, datetime, timedelta

import pytest

from app.services.account_deletion.rules import Step, next_step

T0 = datetime(2026, 6, 7, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("hold", "auth_deleted_at", "step", "due_at"),
    [
        (30 * DAY, None, Step.AUTH_SERVER, T0 + 30 * DAY),
        (1 * DAY, None, Step.AUTH_SERVER, T0 + DAY),
        (30 * DAY, T0 + 30 * DAY, Step.ROWS, T0 + 31 * DAY),
        # The auth server was down for a week.
        (30 * DAY, T0 + 37 * DAY, Step.ROWS, T0 + 38 * DAY),
        # The setting was changed after the first step.
        (90 * DAY, T0 + 30 * DAY, Step.ROWS, T0 + 31 * DAY),
    ],
)
def test_next_step(hold: timedelta, auth_deleted_at: datetime | None, step: Step, due_at: datetime) -> None:
    assert next_step(T0, auth_deleted_at, hold) == (step, due_at)

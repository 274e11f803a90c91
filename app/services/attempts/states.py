"""The state of an attempt as the rules of `engine/steering` need it, and back into its row."""

from datetime import datetime, timedelta
from typing import Any, cast

from app.engine.steering import AdditionKind, AttemptState, EndedBy, Status, TimeAddition
from app.models import Attempt, AttemptRow, AttemptStatus

OVER = (AttemptStatus.SUBMITTED, AttemptStatus.GRADED)


def state_of(attempt: Attempt | AttemptRow) -> AttemptState:
    """The state of an attempt for the rules."""
    return AttemptState(
        status=Status.SUBMITTED if attempt.status in OVER else Status(attempt.status),
        deadline_at=attempt.deadline_at,
        paused_at=attempt.paused_at,
        ended_at=attempt.submitted_at,
        ended_by=cast("EndedBy | None", attempt.closed_by),
        given=tuple(_given(each) for each in attempt.additions),
        extra=timedelta(seconds=attempt.accommodation_seconds or 0),
        voided_from=_voided_from(attempt),
    )


def apply_state(attempt: Attempt | AttemptRow, state: AttemptState) -> None:
    """Store a state in a locked attempt."""
    attempt.status = AttemptStatus(state.status)
    attempt.deadline_at = state.deadline_at
    attempt.paused_at = state.paused_at
    attempt.submitted_at = state.ended_at
    attempt.closed_by = state.ended_by
    attempt.additions = [_stored(each) for each in state.given]
    attempt.accommodation_seconds = state.extra // timedelta(seconds=1)
    attempt.voided_from = state.voided_from


def _voided_from(attempt: Attempt | AttemptRow) -> Status | None:
    """The status before the voiding.

    Attempts that were voided by versions before this column have none. If staff ended such an attempt, it
    counts as voided while it was in progress, because a voiding ended running attempts in the name of staff.
    """
    if attempt.voided_from is not None:
        return Status(attempt.voided_from)
    if attempt.status != AttemptStatus.VOID:
        return None
    return Status.IN_PROGRESS if attempt.closed_by == "staff" else Status.SUBMITTED


def _given(stored: dict[str, Any]) -> TimeAddition:
    requested_at = stored.get("ordered_at")
    return TimeAddition(
        AdditionKind(stored["kind"]),
        datetime.fromisoformat(stored["at"]),
        timedelta(seconds=stored["seconds"]),
        datetime.fromisoformat(requested_at) if requested_at is not None else None,
        stored.get("order"),
    )


def _stored(given: TimeAddition) -> dict[str, Any]:
    stored = {"kind": given.kind, "at": given.at.isoformat(), "seconds": given.length.total_seconds()}
    if given.requested_at is None or given.request_key is None:
        return stored
    return stored | {"ordered_at": given.requested_at.isoformat(), "order": given.request_key}

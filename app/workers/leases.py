"""How long a job waits for its next delivery, and when it is given up (docs/decisions/0016)."""

from datetime import timedelta

MAX_DELIVERIES = 12
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(hours=1)
MIN_LEASE = timedelta(seconds=30)


def retry_delay(deliveries: int) -> timedelta:
    """The pause after a failed delivery: 5 s at first, doubled each time up to an hour."""
    doublings = min(deliveries - 1, MAX_DELIVERIES)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


def lease_of(deliveries: int) -> timedelta:
    """The time until a job without an outcome is delivered again, after a crash or a lost message.

    It may be short: the row of a running job is locked, so that no relay leases it and no worker runs it.
    """
    return max(MIN_LEASE, retry_delay(deliveries))

"""How long a job waits for its next delivery, and when it is given up (docs/decisions/0016)."""

from datetime import timedelta

MAX_DELIVERIES = 12
FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(hours=1)
SHORTEST_LEASE = timedelta(seconds=30)


def retry_delay(deliveries: int) -> timedelta:
    """How long a job rests that has failed at its last delivery: 5 s at first, doubled up to an hour."""
    doublings = min(deliveries - 1, MAX_DELIVERIES)
    return min(FIRST_RETRY * (1 << doublings), LAST_RETRY)


def lease_of(deliveries: int) -> timedelta:
    """When to deliver a job again of which nothing is heard: its worker died, or Redis lost the message.

    It may be short: a job that is running is locked, so that no relay leases it and no other worker runs it.
    """
    return max(SHORTEST_LEASE, retry_delay(deliveries))

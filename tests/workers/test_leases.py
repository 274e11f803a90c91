"""How long jobs wait."""

from datetime import timedelta

from app.workers.leases import LAST_RETRY, MAX_DELIVERIES, MIN_LEASE, lease_of, retry_delay


class TestRetryDelay:
    def test_doubles_from_five_seconds(self) -> None:
        assert [retry_delay(n).total_seconds() for n in (1, 2, 3, 4)] == [5, 10, 20, 40]

    def test_ends_at_an_hour(self) -> None:
        assert retry_delay(MAX_DELIVERIES) == retry_delay(10**9) == LAST_RETRY

    def test_all_of_them_outlast_an_evening_without_a_mail_server(self) -> None:
        total = sum((retry_delay(n) for n in range(1, MAX_DELIVERIES)), timedelta())
        assert timedelta(hours=2) < total < timedelta(days=1)


class TestLeaseOf:
    def test_a_first_lease_leaves_time_to_be_taken(self) -> None:
        assert lease_of(1) == MIN_LEASE

    def test_later_ones_are_as_long_as_the_rest_after_a_failure(self) -> None:
        assert lease_of(8) == retry_delay(8) > MIN_LEASE

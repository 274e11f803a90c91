"""Rules around the auth server that need none."""

import pytest

from app.services.auth import rest_of_floor


class TestRestOfFloor:
    @pytest.mark.parametrize(
        ("elapsed", "floor", "rest"),
        [(0.0, 0.5, 0.0), (0.125, 0.5, 0.375), (0.5, 0.5, 0.0), (0.75, 0.5, 0.25), (3.0, 0.0, 0.0)],
    )
    def test_ends_at_a_multiple(self, elapsed: float, floor: float, rest: float) -> None:
        assert rest_of_floor(elapsed, floor) == rest

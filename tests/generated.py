"""Generated values for tests that await: the same ones in each run."""

from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

Value = TypeVar("Value")


def examples(strategy: st.SearchStrategy[Value], most: int) -> list[Value]:
    """Up to so many values of a strategy."""
    made: list[Value] = []

    @settings(
        max_examples=most,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(value=strategy)
    def make(value: Value) -> None:
        made.append(value)

    make()
    return made

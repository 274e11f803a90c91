"""How much of a large table of cases a run tries.

`make test` tries a part of it: each case with some of the subjects, and each subject with some of the cases.
`make thorough`, and CI in its run of all tests, set TESTS_THOROUGH and try each case with each subject.
"""

import os
from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

import pytest

T = TypeVar("T")

THOROUGH = os.environ.get("TESTS_THOROUGH") == "1"
thorough_only = pytest.mark.skipif(not THOROUGH, reason="make thorough runs it")


def part(cases: Sequence[T], subject: str, one_of: int) -> Sequence[T]:
    """Every `one_of`-th case, from a place that depends on the subject; all of them in a thorough run."""
    if THOROUGH:
        return cases
    return cases[crc32(subject.encode()) % one_of :: one_of]


def count(usual: int, thorough: int) -> int:
    """A number of examples."""
    return thorough if THOROUGH else usual

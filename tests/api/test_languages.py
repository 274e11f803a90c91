"""`Accept-Language` chooses the language of errors."""

import pytest

from app.api.languages import LONGEST_HEADER, preferred


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("hi", "hi"),
        ("hi-IN", "hi"),
        ("HI-in", "hi"),
        ("en", "en"),
        ("en-GB,hi;q=0.9", "en"),
        ("en;q=0.5,hi;q=0.9", "hi"),
        ("en; q=0.5 , hi ; q=0.9", "hi"),
        ("hi-IN,hi;q=0.9,en-US;q=0.8,en;q=0.7", "hi"),
        ("en-IN,en;q=0.9,hi-IN;q=0.8,hi;q=0.7", "en"),
        ("hi-IN;q=0.3,en;q=0.5,hi;q=0.9", "hi"),
        ("hi,en", "hi"),
        ("en,hi", "en"),
        ("ta,hi;q=0.2", "hi"),
        ("ta", "en"),
        ("ta,*;q=0.5,hi;q=0.1", "en"),
        ("hi;q=0", "en"),
        ("hi;q=0,*", "en"),
        ("*", "en"),
        ("", "en"),
        (",;,=", "en"),
        ("hi;q=2", "en"),
        ("hi;q=x", "en"),
        ("hi;q=nan", "en"),
        ("hi;q=-1,en;q=0.1", "en"),
        ("hin", "en"),
        ("x" * LONGEST_HEADER, "en"),
    ],
)
def test_of_a_header(accepted: str, language: str) -> None:
    assert preferred(accepted) == language

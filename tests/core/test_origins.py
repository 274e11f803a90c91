"""Which origins are allowed, by names and by hosts with every port."""

import re

import pytest

from app.core.origins import LOCALHOST_ORIGINS, is_allowed, pattern_of

NAMED = ["https://app.example.org"]


@pytest.mark.parametrize(
    ("origin", "allowed", "expected"),
    [
        ("https://app.example.org", NAMED, True),
        ("https://app.example.org:8443", NAMED, False),
        ("https://app.example.org", [], False),
        ("https://anything.example", ["*"], True),
        ("http://localhost:5173", LOCALHOST_ORIGINS, True),
        ("http://localhost", LOCALHOST_ORIGINS, True),
        ("http://127.0.0.1:80", LOCALHOST_ORIGINS, True),
        ("http://[::1]:3000", LOCALHOST_ORIGINS, True),
        ("https://localhost:5173", LOCALHOST_ORIGINS, False),
        ("http://localhost:5173.attacker.example", LOCALHOST_ORIGINS, False),
        ("http://localhost.attacker.example:5173", LOCALHOST_ORIGINS, False),
        ("http://127a0b0c1:5173", LOCALHOST_ORIGINS, False),
        ("http://localhost:5173\n", LOCALHOST_ORIGINS, False),
        ("http://localhost:", LOCALHOST_ORIGINS, False),
        ("null", LOCALHOST_ORIGINS, False),
    ],
)
def test_allowed(origin: str, allowed: list[str], expected: bool) -> None:
    assert is_allowed(origin, allowed) is expected


def test_names_alone_need_no_pattern() -> None:
    assert pattern_of(NAMED) is None


def test_the_pattern_leaves_names_out() -> None:
    pattern = pattern_of([*NAMED, *LOCALHOST_ORIGINS])
    assert pattern is not None
    assert re.fullmatch(pattern, "http://localhost:1")
    assert not re.fullmatch(pattern, NAMED[0])

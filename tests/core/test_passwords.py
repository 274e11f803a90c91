"""The password policy: a table of passwords."""

import pytest

from app.core.errors import WeakPassword
from app.core.passwords import check_password


def check(password: str) -> None:
    check_password(password, email="asha@example.org", name="Asha Verma")


class TestCheckPassword:
    @pytest.mark.parametrize(
        "password",
        [
            "testpassword",
            "लोकतंत्र संविधान",
            "correct horse battery staple",
            "aaaaaaab",
            "x" * 72,
            "é" * 36,
            "        x",
            "asha@example.com",
        ],
    )
    def test_good_enough(self, password: str) -> None:
        check(password)

    @pytest.mark.parametrize(
        ("password", "complaint"),
        [
            ("", "too short"),
            ("1234567", "too short"),
            ("नमस्ते", "too short"),
            ("x" * 73, "too long"),
            ("é" * 37, "too long"),
            ("password1", "most common"),
            ("12345678", "most common"),
            ("qwertyuiop", "most common"),
            ("QWERTYUIOP", "most common"),
            ("Password123", "most common"),
            ("asha@example.org", "your e-mail address"),
            ("ASHA@example.ORG", "your e-mail address"),
            ("Asha Verma", "your name"),
            ("good\0password", "cannot be stored"),
            ("good\ud800password", "cannot be stored"),
        ],
    )
    def test_weak(self, password: str, complaint: str) -> None:
        with pytest.raises(WeakPassword, match=complaint) as weakness:
            check(password)
        assert [error.field for error in weakness.value.errors] == ["password"]

"""One rule for names, titles and addresses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.names import DEFAULT_NAME, MAX_NAME_LENGTH, checked, email_address, person_name, problem_of

NAMES = [
    "Asha Rao",
    "आशा राव",
    "क्\u200dष",  # a joiner shapes a conjunct
    "محمد\u200f",
    "O'Neill-Śmith, Jr.",
    "७",
    "N" * 200,
    "👩🏽‍🎓",
    "ཧྐྵྨླྺྼྻྂ",  # a stack of eight signs, the highest of Tibetan
]
NOT_NAMES = [
    "",
    " ",
    "\u200b\u200d",
    "\u3164",
    "\u0301",
    "Asha\nRao",
    "Asha\r\nBcc: all@example.org",
    "Asha\tRao",
    "Asha\u2028Rao",
    "Asha\x85Rao",
    "Asha\x00",
    "Asha\x1b[31m",
    "Asha \u202eoaR",
    "\u2066Asha\u2069",
    "Z" + "\u0300" * 9,
    "N" * 201,
]


class TestChecked:
    @pytest.mark.parametrize("name", NAMES)
    def test_takes_names(self, name: str) -> None:
        assert checked(f" {name} ", MAX_NAME_LENGTH) == name

    @pytest.mark.parametrize("name", NOT_NAMES)
    def test_refuses_what_is_no_name(self, name: str) -> None:
        assert problem_of(name, MAX_NAME_LENGTH) is not None

    def test_says_what_to_do(self) -> None:
        with pytest.raises(ValueError, match="one line"):
            checked("Asha\nRao", MAX_NAME_LENGTH)
        with pytest.raises(ValueError, match="visible"):
            checked("\u200b", MAX_NAME_LENGTH)
        with pytest.raises(ValueError, match="200"):
            checked("N" * 201, MAX_NAME_LENGTH)


class TestPersonName:
    @pytest.mark.parametrize("name", NAMES)
    def test_leaves_names_alone(self, name: str) -> None:
        assert person_name(name, "a@example.org") == name

    @pytest.mark.parametrize(
        ("given_name", "email", "name"),
        [
            ("Asha\r\nBcc: all@example.org", "a@example.org", "Asha Bcc: all@example.org"),
            ("\u202eAsha", "a@example.org", "Asha"),
            ("N" * 20_000, "a@example.org", "N" * 200),
            ("\u200b\u200b", "asha.rao@example.org", "asha.rao"),
            (None, "asha.rao@example.org", "asha.rao"),
            ("", "", DEFAULT_NAME),
            ("\n", "\u200b@example.org", DEFAULT_NAME),
        ],
    )
    def test_cleans_the_rest(self, given_name: str | None, email: str, name: str) -> None:
        assert person_name(given_name, email) == name

    @given(st.text(), st.text())
    def test_always_gives_a_name(self, given_name: str, email: str) -> None:
        assert problem_of(person_name(given_name, email), MAX_NAME_LENGTH) is None


class TestEmailAddress:
    @pytest.mark.parametrize(
        ("text", "address"),
        [
            (" Asha.Rao@Example.org ", "asha.rao@example.org"),
            ("a+b@localhost", "a+b@localhost"),
            ("आशा@उदाहरण.भारत", "आशा@उदाहरण.भारत"),
        ],
    )
    def test_takes_addresses(self, text: str, address: str) -> None:
        assert email_address(text) == address

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "asha",
            "@example.org",
            "asha@",
            "a@b@c",
            "asha@example.org\r\nBcc: all@example.org",
            "asha rao@example.org",
            "a@example.org,b@example.org",
            "Asha <a@example.org>",
            "asha\u202e@example.org",
            f"{'a' * 65}@example.org",
            f"a@{'e' * 260}",
        ],
    )
    def test_refuses_the_rest(self, text: str) -> None:
        with pytest.raises(ValueError, match="not an e-mail address"):
            email_address(text)

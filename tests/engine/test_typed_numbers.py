"""Numbers as people type them: what has one meaning is read, what has none or two is refused."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.question_types import question_type
from app.engine.typed_numbers import parse_number, plain_number

# The zero of each script; its other digits follow.
ZEROS = {
    "ASCII": "0",
    "Devanagari": "\u0966",
    "Bengali": "\u09e6",
    "Gurmukhi": "\u0a66",
    "Gujarati": "\u0ae6",
    "Odia": "\u0b66",
    "Tamil": "\u0be6",
    "Telugu": "\u0c66",
    "Kannada": "\u0ce6",
    "Malayalam": "\u0d66",
    "Meetei Mayek": "\uabf0",
    "Ol Chiki": "\u1c50",
    "Arabic": "\u0660",
    "Urdu": "\u06f0",
    "full width": "\uff10",
}
MINUS_SIGNS = "-\u2010\u2011\u2012\u2013\u2014\u2212\ufe63\uff0d"


def in_script(number: str, zero: str) -> str:
    return "".join(chr(ord(zero) + int(each)) if each.isdigit() else each for each in number)


class TestPlainNumber:
    @pytest.mark.parametrize(
        ("typed", "plain"),
        [
            ("3.14", "3.14"),
            ("-2", "-2"),
            (".5", ".5"),
            ("+.5", ".5"),
            ("22/7", "22/7"),
            ("007", "007"),
            ("-0.0", "-0.0"),
            ("\u22125", "-5"),
            (" 5 ", "5"),
            ("\u00a05\u2009", "5"),
            ("\u096b", "5"),
            ("5.", "5"),
            ("-5.", "-5"),
            ("+5", "5"),
            ("\uff0b5", "5"),
            ("- 5", "-5"),
            ("\u2013 \u096b.", "-5"),
            ("22 / 7", "22/7"),
            ("22\u20447", "22/7"),
            ("\u0663\u066b\u0661", "3.1"),
            ("\uff13\uff0e\uff11", "3.1"),
            ("\u200b5\u200b", "5"),
            ("\ufeff\u200e-5", "-5"),
        ],
    )
    def test_one_meaning(self, typed: str, plain: str) -> None:
        assert plain_number(typed) == plain
        assert parse_number(typed) == Fraction(plain)

    @pytest.mark.parametrize("zero", ZEROS.values(), ids=ZEROS.keys())
    def test_digits_of_every_script(self, zero: str) -> None:
        assert plain_number(in_script("-1234567890.5", zero)) == "-1234567890.5"

    @pytest.mark.parametrize("minus", MINUS_SIGNS)
    def test_every_minus_sign(self, minus: str) -> None:
        assert plain_number(f"{minus}5") == "-5"

    @pytest.mark.parametrize(
        "typed",
        [
            "",
            " ",
            ".",
            "-",
            "three",
            "1e5",
            "1e9999",
            "0x10",
            "nan",
            "inf",
            "1/0",
            "9" * 33,
            "5" + " " * 200,
            "--1",
            "+-1",
            "-+1",
            "5-",
            "3-4",
            "3\u20134",
            "1 000",
            "1 1/2",
            "1\u00bd",
            "\u00bd",
            "5\u00b2",
            "5..",
            "5./2",
            "1.2.3",
            "1/2/3",
            "\u2212\u22125",
            "\u4e94",
            "\u202e51",
            "5%",
            "\u20b95",
            "5 cm",
            "\u00b15",
        ],
    )
    def test_no_meaning_or_two(self, typed: str) -> None:
        with pytest.raises(ValueError, match=r"number|zero"):
            plain_number(typed)

    @pytest.mark.parametrize("typed", ["3,14", "1,000", "1,00,000", "5,", "3\u060c14", "3\uff0c14"])
    def test_a_comma_has_two_meanings(self, typed: str) -> None:
        with pytest.raises(ValueError, match="no commas"):
            plain_number(typed)

    @given(
        st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6),
        st.sampled_from(sorted(ZEROS.values())),
        st.sampled_from(MINUS_SIGNS),
        st.sampled_from(["", " ", "\u00a0", "\u200b"]),
    )
    def test_is_exact_whatever_the_keyboard(self, value: Fraction, zero: str, minus: str, space: str) -> None:
        typed = space + in_script(str(value).replace("-", minus), zero) + space
        assert parse_number(typed) == value
        assert plain_number(plain_number(typed)) == plain_number(typed)

    @given(st.text(max_size=40))
    def test_other_texts_are_read_or_refused(self, typed: str) -> None:
        try:
            plain = plain_number(typed)
        except ValueError:
            return
        assert plain.isascii()
        assert parse_number(plain) == parse_number(typed)


class TestEverywhere:
    """Answers, keys and cells of sheets are read alike."""

    ODD = ("\u22125", " -5 ", "-\u096b", "-5.", "\uff0d\uff15")

    @pytest.mark.parametrize("typed", ODD)
    def test_an_answer(self, typed: str) -> None:
        for name, key in (
            ("numeric", {"value": "-5", "tolerance": "0"}),
            ("ranges", {"ranges": [["-5", "-5"]]}),
        ):
            kind = question_type(name)
            assert kind.answer_problem(typed, ()) is None
            assert kind.answer_key(key).compare(typed).is_right

    @pytest.mark.parametrize("typed", ODD)
    def test_a_cell_of_an_answer_sheet(self, typed: str) -> None:
        kind = question_type("numeric")
        answer = kind.answer_reader(())(typed)
        assert kind.answer_key({"value": "-5", "tolerance": "0"}).compare(answer).is_right

    @pytest.mark.parametrize("typed", ODD)
    def test_a_key(self, typed: str) -> None:
        kind = question_type("numeric")
        key = {"value": typed, "tolerance": "\u0967."}
        assert list(kind.key_problems(key, ())) == []
        assert kind.normalized_key(key) == {"value": "-5", "tolerance": "1"}

    def test_a_key_of_ranges(self) -> None:
        kind = question_type("ranges")
        key = {"ranges": [{"from": "\u22125", "to": "\u096b."}]}
        assert list(kind.key_problems(key, ())) == []
        assert kind.normalized_key(key) == {"ranges": [{"from": "-5", "to": "5"}]}

    @pytest.mark.parametrize("cell", ["\u22125\u00b1\u0967", "\u22125 +/\u2212 1.", "-5+-1"])
    def test_a_key_in_a_sheet(self, cell: str) -> None:
        kind = question_type("numeric")
        key = kind.key_from_cell(cell)
        assert kind.normalized_key(key) == {"value": "-5", "tolerance": "1"}

"""Marks read from text, and printed as UPSC prints them."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.marks import RoundingPolicy, parse_marks, printed

HALF_UP, UPSC = RoundingPolicy.HALF_UP, RoundingPolicy.UPSC


class TestParseMarks:
    @pytest.mark.parametrize(
        ("text", "marks"),
        [
            ("2", Fraction(2)),
            ("+2", Fraction(2)),
            ("-2/3", Fraction(-2, 3)),
            ("4/6", Fraction(2, 3)),
            ("0.25", Fraction(1, 4)),
            (".5", Fraction(1, 2)),
            ("-0", Fraction(0)),
            ("1000", Fraction(1000)),
            ("0.0001", Fraction(1, 10_000)),
        ],
    )
    def test_reads_exactly(self, text: str, marks: Fraction) -> None:
        assert parse_marks(text) == marks

    @pytest.mark.parametrize(
        "text",
        [
            *("", " ", " 2", "2\n", "2 ", "--2", "2.", ".", "1.5/2", "2/-3", "2//3", "1,5", "1_000"),
            *("1e3", "1e9999", "0x10", "nan", "inf"),
            # Digits, a minus and a half that are not ASCII.
            *("\uff12", "\u0662", "\u0968", "\u22122", "\u00bd"),
        ],
    )
    def test_refuses_another_notation(self, text: str) -> None:
        with pytest.raises(ValueError, match='written like "2"'):
            parse_marks(text)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("1/0", "divided by zero"),
            ("-1001", "between -1000 and 1000"),
            ("1000.01", "between -1000 and 1000"),
            ("1/10001", "denominator of marks is at most 10000"),
            ("0.33333", "denominator of marks is at most 10000"),
            ("9" * 17, "at most 16 characters"),
            ("9" * 1_000_000, "at most 16 characters"),
        ],
    )
    def test_refuses_what_no_scheme_needs(self, text: str, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            parse_marks(text)

    @given(st.fractions(min_value=-1000, max_value=1000, max_denominator=999))
    def test_reads_what_an_exact_answer_shows(self, marks: Fraction) -> None:
        assert parse_marks(str(marks)) == marks


class TestPrintedHalfUp:
    @pytest.mark.parametrize(
        ("raw", "factor", "text"),
        [
            ("0", "1", "0.00"),
            ("320/3", "1", "106.67"),
            ("1/3", "1", "0.33"),
            ("-2/3", "1", "-0.67"),
            ("0.005", "1", "0.01"),
            ("-0.005", "1", "-0.01"),
            ("-0.0049", "1", "0.00"),
            ("1.005", "1", "1.01"),
            ("0.014", "1/2", "0.01"),
            ("220/3", "200/196", "74.83"),
            ("200", "1", "200.00"),
            ("123456.789", "1", "123456.79"),
        ],
    )
    def test_rounds_the_product_once(self, raw: str, factor: str, text: str) -> None:
        assert printed(Fraction(raw), Fraction(factor), HALF_UP) == text

    @given(st.integers(-(10**8), 10**8))
    def test_agrees_with_decimal_arithmetic(self, thousandths: int) -> None:
        rounded = (Decimal(thousandths) / 1000).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        assert printed(Fraction(thousandths, 1000), Fraction(1), HALF_UP) == str(rounded + 0)


class TestPrintedUpsc:
    @pytest.mark.parametrize(
        ("raw", "text"),
        [
            ("320/3", "106.66"),
            ("1/3", "0.34"),
            ("2/3", "0.66"),
            ("4/3", "1.34"),
            ("-1/3", "-0.34"),
            ("-2/3", "-0.66"),
            ("-200/3", "-66.66"),
            ("0", "0.00"),
            ("200", "200.00"),
            ("-66", "-66.00"),
        ],
    )
    def test_writes_thirds_as_34_and_66(self, raw: str, text: str) -> None:
        assert printed(Fraction(raw), Fraction(1), UPSC) == text

    @pytest.mark.parametrize(
        ("raw", "factor", "text"),
        [
            ("5/6", "1", "0.83"),
            ("-5/6", "1", "-0.83"),
            ("5/2", "1", "2.50"),
            ("0.005", "1", "0.01"),
            ("0.995", "1", "1.00"),
            ("0.004", "2", "0.00"),
            ("-0.004", "2", "0.00"),
        ],
    )
    def test_writes_other_fractions_half_up_before_the_factor(self, raw: str, factor: str, text: str) -> None:
        assert printed(Fraction(raw), Fraction(factor), UPSC) == text

    @pytest.mark.parametrize(
        ("raw", "factor", "text"),
        [("198", "200/198", "200.00"), ("-66", "200/198", "-66.67"), ("220/3", "200/196", "74.84")],
    )
    def test_prorates_the_written_marks(self, raw: str, factor: str, text: str) -> None:
        assert printed(Fraction(raw), Fraction(factor), UPSC) == text

    # Prelims GS Paper I, general to PwBD-5, as UPSC published them after each final result.
    @pytest.mark.parametrize(
        ("year", "dropped", "cutoffs"),
        [
            (2018, 0, "98.00 96.66 84.00 83.34 73.34 53.34 40.00 45.34"),
            (2019, 0, "98.00 90.00 95.34 82.00 77.34 53.34 44.66 40.66 61.34"),
            (2020, 2, "92.51 77.55 89.12 74.84 68.71 70.06 63.94 40.82 42.86"),
            (2021, 1, "87.54 80.14 84.85 75.41 70.71 68.02 67.33 43.09 45.80"),
            (2022, 1, "88.22 82.83 87.54 74.08 69.35 49.84 58.59 40.40 41.76"),
            (2023, 1, "75.41 68.02 74.75 59.25 47.82 40.40 47.13 33.68"),
            (2024, 3, "87.98 85.92 87.28 79.03 74.23 69.42 65.30 40.56"),
        ],
    )
    def test_every_published_cutoff_is_a_possible_score(self, year: int, dropped: int, cutoffs: str) -> None:
        factor = Fraction(200, 200 - 2 * dropped)
        possible = {printed(Fraction(2 * thirds, 3), factor, UPSC) for thirds in range(301)}
        assert set(cutoffs.split()) <= possible, year

    @given(
        st.fractions(min_value=-500, max_value=500, max_denominator=100),
        st.fractions(1, 2, max_denominator=200),
    )
    def test_negative_marks_mirror_positive_ones(self, raw: Fraction, factor: Fraction) -> None:
        mirrored = printed(-raw, factor, UPSC)
        assert mirrored.lstrip("-") == printed(raw, factor, UPSC).lstrip("-")
        assert mirrored != "-0.00"

    @given(st.integers(-300, 600), st.integers(0, 20))
    def test_a_higher_score_never_prints_lower(self, thirds: int, dropped: int) -> None:
        factor = Fraction(200, 200 - 2 * dropped)
        lower, higher = (Decimal(printed(Fraction(n, 3), factor, UPSC)) for n in (thirds, thirds + 1))
        assert lower < higher

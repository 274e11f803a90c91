"""Cells: what a spreadsheet would evaluate is escaped, and read back equal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sheets.cells import escape_formula, unescape_formula


class TestEscapeFormula:
    @pytest.mark.parametrize(
        "text", ["=1+1", "+1", "-2/3", "@SUM(A1)", "\tx", "\rx", "'=1", "''-1", "\uff1dA1", "\uff20x"]
    )
    def test_a_formula_gets_an_apostrophe(self, text: str) -> None:
        assert escape_formula(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "'", "'tis", "007", "1-2", "a=b", "''"])
    def test_other_text_is_unchanged(self, text: str) -> None:
        assert escape_formula(text) == unescape_formula(text) == text

    @given(st.text(alphabet="'=-+@\t\ra", max_size=6))
    def test_it_is_read_back_equal(self, text: str) -> None:
        assert unescape_formula(escape_formula(text)) == text

"""How values stand in cells: harmless to a spreadsheet, and equal when they come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.services.questions.cells import as_given, harmless, read_tags, written_tags

TAGS = st.text(alphabet="ab\\,;| ", min_size=1, max_size=6).map(str.strip).filter(bool)


class TestHarmless:
    @pytest.mark.parametrize("text", ["=1+1", "+1", "-2/3", "@SUM(A1)", "\tx", "\rx", "'=1", "''-1"])
    def test_what_runs_has_an_apostrophe_before_it(self, text: str) -> None:
        assert harmless(text) == f"'{text}"

    @pytest.mark.parametrize("text", ["", "'", "'tis", "007", "1-2", "a=b", "''"])
    def test_the_rest_stays(self, text: str) -> None:
        assert harmless(text) == as_given(text) == text

    @given(st.text(alphabet="'=-+@\t\ra", max_size=6))
    def test_it_comes_back_equal(self, text: str) -> None:
        assert as_given(harmless(text)) == text


class TestTags:
    @given(st.lists(TAGS, unique=True, max_size=4))
    def test_they_come_back_equal(self, tags: list[str]) -> None:
        assert read_tags(written_tags(tags)) == tags

    def test_as_people_write_them(self) -> None:
        assert read_tags("pyq; polity,pyq |a\\b,, ") == ["pyq", "polity", "a\\b"]

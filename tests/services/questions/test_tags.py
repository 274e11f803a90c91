"""Tags in one cell: written and read back equal."""

from hypothesis import given
from hypothesis import strategies as st

from app.services.questions.tags import read_tags, write_tags

TAGS = st.text(alphabet="ab\\,;| ", min_size=1, max_size=6).map(str.strip).filter(bool)


class TestTags:
    @given(st.lists(TAGS, unique=True, max_size=4))
    def test_they_are_read_back_equal(self, tags: list[str]) -> None:
        assert read_tags(write_tags(tags)) == tags

    def test_as_people_write_them(self) -> None:
        assert read_tags("pyq; polity,pyq |a\\b,, ") == ["pyq", "polity", "a\\b"]

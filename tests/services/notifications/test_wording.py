"""Words, times and names in notifications."""

from datetime import UTC, datetime

import pytest

from app.models import Kind
from app.services.notifications.wording import (
    LANGUAGES,
    greeting_name,
    in_language,
    language_of,
    moment,
    texts_of,
    zone_of,
)
from tests.builders.exams import PAPER_TITLE
from tests.builders.notifications import TITLE

DATA = {
    "exam_title": TITLE,
    "paper": {"title": PAPER_TITLE},
    "roll_number": "R-1",
    "revised": False,
    "stage": "provisional_key",
    "accepted": True,
    "closed_by": "candidate",
    "extra_seconds": 2400,
    "enrolled": True,
    "valid_until": None,
}


class TestWordsOf:
    @pytest.mark.parametrize("kind", Kind)
    def test_each_kind_has_words_in_each_language(self, kind: Kind) -> None:
        title, body = texts_of(kind, DATA)
        for text in (title, body):
            assert list(text) == list(LANGUAGES)
            assert all(text.values())
            assert text["en"].isascii()
            assert not text["hi"].isascii()

    def test_they_name_what_it_is_about(self) -> None:
        assert texts_of(Kind.OPENS_IN_15_MINUTES, DATA)[1] == {
            "en": "All-India Mock 7: General Studies I",
            "hi": "अखिल भारतीय मॉक 7: सामान्य अध्ययन I",
        }
        assert texts_of(Kind.REGISTERED, DATA)[1]["en"] == "All-India Mock 7: your roll number is R-1."

    def test_braces_in_a_title_are_letters(self) -> None:
        data = DATA | {"exam_title": {"en": "Mock {roll_number} {x}"}}
        assert texts_of(Kind.CANCELLED, data)[1]["en"] == "Mock {roll_number} {x}"

    def test_revised_results_say_so(self) -> None:
        assert texts_of(Kind.RESULTS_RELEASED, DATA | {"revised": True})[0]["en"] == (
            "The results were revised"
        )


class TestLanguage:
    @pytest.mark.parametrize(
        ("tag", "spoken"), [("en", "en"), ("hi", "hi"), ("hi-IN", "hi"), ("HI", "hi"), ("ta", "en")]
    )
    def test_theirs_or_english(self, tag: str, spoken: str) -> None:
        assert language_of(tag) == spoken

    @pytest.mark.parametrize(
        ("text", "shown"), [({"en": "E", "hi": "H"}, "H"), ({"en": "E"}, "E"), ({"ta": "T"}, "T"), ({}, "")]
    )
    def test_an_authors_text_in_the_language_there_is(self, text: dict[str, str], shown: str) -> None:
        assert in_language(text, "hi") == shown


class TestMoment:
    @pytest.mark.parametrize(
        ("at", "language", "zone", "written"),
        [
            ("2026-11-26T04:00:00+00:00", "en", "Asia/Kolkata", "26 November 2026, 9:30 am IST"),
            ("2026-11-26T04:00:00+00:00", "hi", "Asia/Kolkata", "26 नवंबर 2026, सुबह 9:30 बजे (IST)"),
            ("2026-11-26T09:00:00+00:00", "hi", "Asia/Kolkata", "26 नवंबर 2026, दोपहर 2:30 बजे (IST)"),
            ("2026-11-26T12:00:00+00:00", "hi", "Asia/Kolkata", "26 नवंबर 2026, शाम 5:30 बजे (IST)"),
            ("2026-11-26T18:45:00+00:00", "hi", "Asia/Kolkata", "27 नवंबर 2026, रात 12:15 बजे (IST)"),
            ("2026-11-26T06:30:00+00:00", "en", "Asia/Kolkata", "26 November 2026, 12:00 pm IST"),
            ("2026-11-25T18:30:00+00:00", "en", "Asia/Kolkata", "26 November 2026, 12:00 am IST"),
            ("2026-11-26T04:00:00+00:00", "en", "America/New_York", "25 November 2026, 11:00 pm EST"),
            ("2026-07-26T04:00:00+00:00", "en", "America/New_York", "26 July 2026, 12:00 am EDT"),
            ("2026-11-26T04:00:00+00:00", "en", "Asia/Dubai", "26 November 2026, 8:00 am UTC+04"),
            ("2026-11-26T04:00:00+00:00", "en", "Asia/Kathmandu", "26 November 2026, 9:45 am UTC+0545"),
            ("2026-11-26T04:00:00+00:00", "en", "No/Such_Place", "26 November 2026, 9:30 am IST"),
        ],
    )
    def test_as_people_write_it(self, at: str, language: str, zone: str, written: str) -> None:
        shown = moment(datetime.fromisoformat(at), language, zone_of(zone))
        assert shown.replace("\N{NO-BREAK SPACE}", " ") == written

    def test_a_line_breaks_after_the_day_alone(self) -> None:
        written = moment(datetime(2026, 11, 26, 4, tzinfo=UTC), "en", zone_of("Asia/Kolkata"))
        day, _, clock = written.partition(", ")
        assert day == "26 November 2026"
        assert " " not in clock


class TestNameToGreet:
    @pytest.mark.parametrize("name", ["Asha Rao", "आशा राव", "S. K. Iyer", "Jean-Luc O'Brien", "அருண்"])
    def test_names_of_people_are_used(self, name: str) -> None:
        assert greeting_name(name) == name

    @pytest.mark.parametrize(
        "name",
        ["win at evil.example", "https://evil.example", "a@b.example", "A" * 61, "", " ", "Asha\nBcc: x"],
    )
    def test_what_could_be_somebodys_message_is_not(self, name: str) -> None:
        assert greeting_name(name) is None

"""Mails: each kind in both languages, as text and as HTML."""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.models import Kind
from app.services.components import Components
from app.services.notifications import mails
from app.services.notifications.kinds import RULES
from tests.services.notifications.composed_mails import DATA, THE_PAPER, Reader, composed, plain, user

pytestmark = pytest.mark.anyio

# What each must say: the subject, and some of the text; HTML says it too.
ENGLISH = {
    Kind.WELCOME: ("Welcome to the IAS Test Series", ["Your account is ready."]),
    Kind.REGISTERED: (
        "You are registered: All-India Mock 7",
        ["R-17", "General Studies I", "26 November 2026, 9:30 am IST"],
    ),
    Kind.OPENS_IN_24_HOURS: (
        "All-India Mock 7 opens in 20 minutes",
        [
            "Ends at the latest",
            "26 November 2026, 1:10 pm IST",
            "40 minutes",
            "General Studies I",
            "26 November 2026, 9:30 am IST",
            "10:00 am IST",
        ],
    ),
    Kind.OPENS_IN_15_MINUTES: (
        "All-India Mock 7 opens in 20 minutes",
        ["General Studies I", "26 November 2026, 9:30 am IST"],
    ),
    Kind.SUBMITTED: (
        "Your answers are submitted: All-India Mock 7",
        ["General Studies I", "26 November 2026, 12:28 pm IST", "We have your answers."],
    ),
    Kind.RESULTS_RELEASED: ("The results are out: All-India Mock 7", ["marks and your rank in the app"]),
    Kind.KEY_REVISED: (
        "Your result was revised: All-India Mock 7",
        ["12, 80", "Both b and c are right.", "84.66", "87.34", "14", "9"],
    ),
    Kind.POSTPONED: (
        "Postponed: All-India Mock 7",
        ["You stay registered.", "General Studies I", "26 November 2026, 9:30 am IST"],
    ),
    Kind.CANCELLED: ("Cancelled: All-India Mock 7", ["will not take place"]),
    Kind.EXTRA_TIME: (
        "Your extra time has changed: All-India Mock 7",
        ["is now 40 minutes; before, it was 10 minutes.", "26 November 2026, 1:10 pm IST"],
    ),
    Kind.ENROLMENT_CHANGED: (
        "You are enrolled",
        ["tests for enrolled candidates", "until 26 November 2026, 9:30 am IST"],
    ),
    Kind.KEY_SHOWN: (
        "The provisional key is published: All-India Mock 7",
        ["object to it until 27 November 2026, 9:30 am IST", "Sources required"],
    ),
    Kind.OBJECTION_DECIDED: (
        "Your objection was accepted: All-India Mock 7",
        ["question 80 was accepted", "Article 368 says so."],
    ),
    Kind.REGISTRATION_CHANGED: (
        "Your registration was corrected: All-India Mock 7",
        ["R-17", "category", "disability", "Your extra time is now 40 minutes."],
    ),
}
HINDI = {
    Kind.WELCOME: ("आईएएस टेस्ट सीरीज़ में आपका स्वागत है", ["आपका खाता तैयार है।"]),
    Kind.REGISTERED: (
        "आपका पंजीकरण हो गया है: अखिल भारतीय मॉक 7",
        ["R-17", "सामान्य अध्ययन I", "26 नवंबर 2026, सुबह 9:30 बजे (IST)"],
    ),
    Kind.OPENS_IN_24_HOURS: (
        "आपकी परीक्षा 20 मिनट में शुरू होगी: अखिल भारतीय मॉक 7",
        ["सामान्य अध्ययन I", "26 नवंबर 2026, सुबह 9:30 बजे (IST)"],
    ),
    Kind.OPENS_IN_15_MINUTES: (
        "आपकी परीक्षा 20 मिनट में शुरू होगी: अखिल भारतीय मॉक 7",
        ["सामान्य अध्ययन I", "26 नवंबर 2026, सुबह 9:30 बजे (IST)"],
    ),
    Kind.SUBMITTED: (
        "आपके उत्तर जमा हो गए हैं: अखिल भारतीय मॉक 7",
        ["सामान्य अध्ययन I", "26 नवंबर 2026, दोपहर 12:28 बजे (IST)", "हमें आपके उत्तर मिल गए हैं।"],
    ),
    Kind.RESULTS_RELEASED: ("परिणाम जारी हो गए हैं: अखिल भारतीय मॉक 7", ["अपने अंक और रैंक ऐप में देखें।"]),
    Kind.KEY_REVISED: (
        "आपका परिणाम संशोधित किया गया है: अखिल भारतीय मॉक 7",
        ["12, 80", "Both b and c are right.", "84.66", "87.34", "14", "9"],
    ),
    Kind.POSTPONED: (
        "स्थगित: अखिल भारतीय मॉक 7",
        ["आपका पंजीकरण बना रहेगा।", "सामान्य अध्ययन I", "26 नवंबर 2026, सुबह 9:30 बजे (IST)"],
    ),
    Kind.CANCELLED: ("रद्द: अखिल भारतीय मॉक 7", ["अब नहीं होगी"]),
    Kind.EXTRA_TIME: (
        "आपका अतिरिक्त समय बदल गया है: अखिल भारतीय मॉक 7",
        ["अब 40 मिनट है; पहले 10 मिनट था।", "26 नवंबर 2026, दोपहर 1:10 बजे (IST)"],
    ),
    Kind.ENROLMENT_CHANGED: ("आपका नामांकन हो गया है", ["नामांकित अभ्यर्थियों", "26 नवंबर 2026"]),
    Kind.KEY_SHOWN: (
        "अनंतिम उत्तर कुंजी जारी हो गई है: अखिल भारतीय मॉक 7",
        ["27 नवंबर 2026, सुबह 9:30 बजे (IST)", "आवश्यक स्रोत"],
    ),
    Kind.OBJECTION_DECIDED: (
        "आपकी आपत्ति स्वीकार की गई: अखिल भारतीय मॉक 7",
        ["प्रश्न 80", "Article 368 says so."],
    ),
    Kind.REGISTRATION_CHANGED: (
        "आपके पंजीकरण में सुधार किया गया है: अखिल भारतीय मॉक 7",
        ["R-17", "श्रेणी", "दिव्यांगता", "आपका अतिरिक्त समय अब 40 मिनट है।"],
    ),
}


@pytest.mark.parametrize("kind", Kind)
async def test_each_kind(parts: Components, kind: Kind) -> None:
    for language, words in (("en", ENGLISH), ("hi", HINDI), ("hi-IN", HINDI)):
        says_what_it_must(parts, kind, language, *words[kind])
    assert composed(parts, kind, user(language="ta")).subject == ENGLISH[kind][0]
    greets_by_name_where_the_name_is_one(parts, kind)
    escapes_html_and_no_text(parts, kind)
    gives_times_by_the_readers_clock(parts, kind)
    can_be_unsubscribed_if_it_is_a_service(parts, kind)
    has_no_gaps_in_its_text(parts, kind)


def says_what_it_must(parts: Components, kind: Kind, language: str, subject: str, said: list[str]) -> None:
    mail = composed(parts, kind, user(language=language))
    shown = Reader(mail.html)
    assert mail.subject == subject
    for words_said in said:
        assert words_said in mail.text
        assert words_said in shown.text
    assert parts.settings.app_url in mail.text
    assert parts.settings.app_url in shown.links


def greets_by_name_where_the_name_is_one(parts: Components, kind: Kind) -> None:
    assert composed(parts, kind, user()).text.startswith("Hello Asha Rao,\n")
    spam = composed(parts, kind, user(name="win at evil.example", language="hi"))
    assert spam.text.startswith("नमस्ते,\n")
    assert "evil" not in spam.text + spam.html


def escapes_html_and_no_text(parts: Components, kind: Kind) -> None:
    title = {"en": 'Mock <script>alert("1")</script> & more'}
    data = DATA[kind] | ({"exam_title": title} if "exam_title" in DATA[kind] else {})
    mail = composed(parts, kind, user(), data)
    assert "<script" not in mail.html
    if "exam_title" in data:
        assert title["en"] in Reader(mail.html).text
        assert title["en"] in mail.text + mail.subject
        assert "&" in mail.subject
        assert "&amp;" not in mail.subject


def gives_times_by_the_readers_clock(parts: Components, kind: Kind) -> None:
    text = composed(parts, kind, user(timezone="America/New_York")).text
    assert "IST" not in text
    assert ("EST" in text) is any("IST" in said for said in ENGLISH[kind][1])


def can_be_unsubscribed_if_it_is_a_service(parts: Components, kind: Kind) -> None:
    reader = user()
    mail = composed(parts, kind, reader)
    url = mail.handling.unsubscribe_url
    assert (url is None) is (RULES[kind].topic is None)
    if url is None:
        assert "nsubscribe" not in mail.text + mail.html
        return
    assert url in mail.text
    assert url in Reader(mail.html).links
    wish = parts.unsubscribe_tokens.read(url.partition("token=")[2])
    assert (wish.user_id, wish.topic) == (reader.id, RULES[kind].topic)


def has_no_gaps_in_its_text(parts: Components, kind: Kind) -> None:
    for language in ("en", "hi"):
        text = composed(parts, kind, user(language=language)).text
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t]\n", text)
        assert text == text.strip() + "\n"


class TestReminders:
    """A mail may be sent long after it was created: at the end of quiet hours, or after an outage."""

    @pytest.mark.parametrize("kind", [Kind.OPENS_IN_24_HOURS, Kind.OPENS_IN_15_MINUTES])
    async def test_they_say_the_true_distance(self, parts: Components, kind: Kind) -> None:
        distances = [
            (timedelta(hours=24), "24 hours", "24 घंटे"),
            (timedelta(hours=23, minutes=59, seconds=57), "24 hours", "24 घंटे"),
            (timedelta(hours=5, minutes=36), "5 hours 35 minutes", "5 घंटे 35 मिनट"),
            (timedelta(hours=1, minutes=1), "1 hour 1 minute", "1 घंटे 1 मिनट"),
            (timedelta(minutes=20), "20 minutes", "20 मिनट"),
            (timedelta(minutes=14, seconds=58), "15 minutes", "15 मिनट"),
            (timedelta(seconds=20), "1 minute", "1 मिनट"),
        ]
        for left, english, hindi in distances:
            sent_at = datetime.fromisoformat(THE_PAPER["starts_at"]) - left
            mail = composed(parts, kind, user(), now=sent_at)
            assert mail.subject == f"All-India Mock 7 opens in {english}"
            mail = composed(parts, kind, user(language="hi"), now=sent_at)
            assert mail.subject == f"आपकी परीक्षा {hindi} में शुरू होगी: अखिल भारतीय मॉक 7"


class TestRegistered:
    """The mail promises the reminders that will come, and no other."""

    DAY, QUARTER = "opens_in_24_hours", "opens_in_15_minutes"

    @pytest.mark.parametrize(
        ("reminders", "english", "hindi"),
        [
            (
                [[DAY, QUARTER], [DAY, QUARTER]],
                "We will remind you a day before and a quarter of an hour before.",
                "हम एक दिन पहले और पंद्रह मिनट पहले आपको याद दिलाएँगे।",
            ),
            (
                [[QUARTER]],
                "We will remind you a quarter of an hour before.",
                "हम पंद्रह मिनट पहले आपको याद दिलाएँगे।",
            ),
            (
                [[], [DAY, QUARTER]],
                "We will remind you of Paper 2 a day before and a quarter of an hour before.",
                "हम Paper 2 के लिए एक दिन पहले और पंद्रह मिनट पहले आपको याद दिलाएँगे।",
            ),
            ([[], []], "", ""),
            ([None], "", ""),
        ],
    )
    async def test_it_promises_what_comes(
        self, parts: Components, reminders: list[list[str] | None], english: str, hindi: str
    ) -> None:
        papers = []
        for number, kinds in enumerate(reminders, 1):
            paper = {**THE_PAPER, "title": {"en": f"Paper {number}"}, "reminders": kinds}
            if kinds is None:  # made by an earlier version
                del paper["reminders"], paper["extra_seconds"]
            papers.append(paper)
        data = DATA[Kind.REGISTERED] | {"papers": papers}
        for language, promise in (("en", english), ("hi", hindi)):
            text = composed(parts, Kind.REGISTERED, user(language=language), data).text
            assert promise in text
            assert ("remind" in text or "याद" in text) is bool(promise)


class TestSubmitted:
    @pytest.mark.parametrize(
        ("closed_by", "said"),
        [
            ("candidate", "We have your answers."),
            ("deadline", "Your time was over, so your attempt was submitted for you"),
            ("staff", "The staff of the exam have ended your attempt."),
        ],
    )
    async def test_it_says_who_ended_it(self, parts: Components, closed_by: str, said: str) -> None:
        data = DATA[Kind.SUBMITTED] | {"closed_by": closed_by}
        assert said in composed(parts, Kind.SUBMITTED, user(), data).text


class TestAsRead:
    def test_facts_stand_in_the_readers_language_and_time(self) -> None:
        facts = mails._facts(
            {"exam_title": {"id": "Bahasa", "en": "English"}, "opens_at": "2026-11-26T04:00:00Z"},
            "en",
            ZoneInfo("UTC"),
        )
        assert facts["exam_title"] == "English"
        assert plain(facts["opens_at"]) == "26 November 2026, 4:00 am UTC"

"""Texts of notifications in English and Hindi, and the format of times and names."""

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.models import Kind, LocalizedText

LANGUAGES = ("en", "hi")
DEFAULT_TIME_ZONE = "Asia/Kolkata"
_NO_BREAK = "\N{NO-BREAK SPACE}"

# By kind and language: title and body. They contain no time, because they are read later and in any time
# zone.
_TEXTS: Mapping[Kind, Mapping[str, tuple[str, str]]] = {
    Kind.WELCOME: {
        "en": ("Welcome to the IAS Test Series", "Your account is ready."),
        "hi": ("आईएएस टेस्ट सीरीज़ में आपका स्वागत है", "आपका खाता तैयार है।"),
    },
    Kind.REGISTERED: {
        "en": ("You are registered", "{exam}: your roll number is {roll_number}."),
        "hi": ("आपका पंजीकरण हो गया है", "{exam}: आपका रोल नंबर {roll_number} है।"),
    },
    Kind.OPENS_IN_24_HOURS: {
        "en": ("Your exam opens within 24 hours", "{exam}: {paper}"),
        "hi": ("आपकी परीक्षा 24 घंटे के भीतर शुरू होगी", "{exam}: {paper}"),
    },
    Kind.OPENS_IN_15_MINUTES: {
        "en": ("Your exam opens within 15 minutes", "{exam}: {paper}"),
        "hi": ("आपकी परीक्षा 15 मिनट के भीतर शुरू होगी", "{exam}: {paper}"),
    },
    Kind.SUBMITTED: {
        "en": ("Your answers are submitted", "{exam}: {paper}. We will tell you when the results are out."),
        "hi": ("आपके उत्तर जमा हो गए हैं", "{exam}: {paper}। परिणाम जारी होने पर हम आपको बताएँगे।"),
    },
    Kind.RESULTS_RELEASED: {
        "en": ("The results are out", "{exam}"),
        "hi": ("परिणाम जारी हो गए हैं", "{exam}"),
    },
    Kind.KEY_REVISED: {
        "en": (
            "Your result was revised",
            "{title}: the key was corrected. Your score was {score_before} and is {score_after} now.",
        ),
        "hi": (
            "आपका परिणाम संशोधित किया गया है",
            "{title}: उत्तर कुंजी ठीक की गई है। आपके अंक {score_before} थे और अब {score_after} हैं।",
        ),
    },
    Kind.POSTPONED: {
        "en": ("Your exam is postponed", "{exam}: see the new times."),
        "hi": ("आपकी परीक्षा स्थगित हो गई है", "{exam}: नया समय देखें।"),
    },
    Kind.CANCELLED: {
        "en": ("Your exam is cancelled", "{exam}"),
        "hi": ("आपकी परीक्षा रद्द हो गई है", "{exam}"),
    },
    Kind.EXTRA_TIME: {
        "en": ("Your extra time has changed", "{exam}: your extra time is now {extra_time}."),
        "hi": ("आपका अतिरिक्त समय बदल गया है", "{exam}: आपका अतिरिक्त समय अब {extra_time} है।"),
    },
    Kind.REGISTRATION_CHANGED: {
        "en": ("Your registration was corrected", "{exam}: check the details of your registration."),
        "hi": ("आपके पंजीकरण में सुधार किया गया है", "{exam}: अपने पंजीकरण का विवरण जाँच लें।"),
    },
    Kind.ENROLMENT_CHANGED: {
        "en": ("You are enrolled", "You can take the tests for enrolled candidates."),
        "hi": ("आपका नामांकन हो गया है", "अब आप नामांकित अभ्यर्थियों के टेस्ट दे सकते हैं।"),
    },
    Kind.KEY_SHOWN: {
        "en": ("The provisional key is published", "{exam}: see the key beside your answers."),
        "hi": ("अनंतिम उत्तर कुंजी जारी हो गई है", "{exam}: अपने उत्तरों के साथ उत्तर कुंजी देखें।"),
    },
    Kind.OBJECTION_DECIDED: {
        "en": ("Your objection was accepted", "{test}, question {number}: {reason}"),
        "hi": ("आपकी आपत्ति स्वीकार की गई", "{test}, प्रश्न {number}: {reason}"),
    },
}
_FINAL_KEY = {
    "en": ("The final key is published", "{exam}: see the key, and the decisions on objections."),
    "hi": ("अंतिम उत्तर कुंजी जारी हो गई है", "{exam}: उत्तर कुंजी और आपत्तियों पर निर्णय देखें।"),
}
_REJECTED = {
    "en": ("Your objection was rejected", "{test}, question {number}: {reason}"),
    "hi": ("आपकी आपत्ति अस्वीकार की गई", "{test}, प्रश्न {number}: {reason}"),
}
_NOT_ENROLLED = {
    "en": ("Your enrolment has ended", "A test that you have started goes on, and your results stay."),
    "hi": ("आपका नामांकन समाप्त हो गया है", "आपने जो टेस्ट शुरू किया है वह जारी रहेगा, और आपके परिणाम बने रहेंगे।"),
}
_NO_EXTRA_TIME = {
    "en": ("Your extra time has changed", "{exam}: you have no extra time any more."),
    "hi": ("आपका अतिरिक्त समय बदल गया है", "{exam}: अब आपको अतिरिक्त समय नहीं मिलेगा।"),
}
_REVISED = {
    "en": ("The results were revised", "{exam}"),
    "hi": ("परिणाम संशोधित किए गए हैं", "{exam}"),
}
# Texts for attempts that the deadline or staff ended.
_ENDED_BY: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "deadline": {
        "en": (
            "Your time is over, and your answers are submitted",
            "{exam}: {paper}. Answers that reached us in time count. We will tell you when results are out.",
        ),
        "hi": (
            "समय पूरा हो गया है, और आपके उत्तर जमा हो गए हैं",
            "{exam}: {paper}। समय रहते हम तक पहुँचे सभी उत्तर गिने जाएँगे। परिणाम जारी होने पर हम आपको बताएँगे।",
        ),
    },
    "staff": {
        "en": (
            "Staff ended your attempt, and your answers are submitted",
            "{exam}: {paper}. We will tell you when the results are out.",
        ),
        "hi": (
            "परीक्षा के आयोजकों ने आपका प्रयास समाप्त किया है, और आपके उत्तर जमा हो गए हैं",
            "{exam}: {paper}। परिणाम जारी होने पर हम आपको बताएँगे।",
        ),
    },
}

_MONTHS = {
    "en": (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    ),
    "hi": (
        *("जनवरी", "फ़रवरी", "मार्च", "अप्रैल", "मई", "जून"),
        *("जुलाई", "अगस्त", "सितंबर", "अक्टूबर", "नवंबर", "दिसंबर"),
    ),
}


_UNITS = {
    "en": (("hour", "hours"), ("minute", "minutes"), ("second", "seconds")),
    "hi": (("घंटा", "घंटे"), ("मिनट", "मिनट"), ("सेकंड", "सेकंड")),
}
_UNITS_BEFORE_IN = _UNITS | {"hi": (("घंटे", "घंटे"), *_UNITS["hi"][1:])}
_OPENING_TITLE = {"en": "Your exam opens in {distance}", "hi": "आपकी परीक्षा {distance} में शुरू होगी"}
_REMINDER_TIMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        Kind.OPENS_IN_24_HOURS: "a day before",
        Kind.OPENS_IN_15_MINUTES: "a quarter of an hour before",
    },
    "hi": {Kind.OPENS_IN_24_HOURS: "एक दिन पहले", Kind.OPENS_IN_15_MINUTES: "पंद्रह मिनट पहले"},
}
_REMINDER_SENTENCE = {"en": "We will remind you{of} {when}.", "hi": "हम{of} {when} आपको याद दिलाएँगे।"}
_OF = {"en": " of {titles}", "hi": " {titles} के लिए"}
_AND = {"en": " and ", "hi": " और "}


def texts_of(kind: Kind, data: Mapping[str, Any]) -> tuple[LocalizedText, LocalizedText]:
    """Title and body of a notification, in all languages."""
    words = _words_of(kind, data)
    title = {language: words[language][0] for language in LANGUAGES}
    body = {language: words[language][1].format_map(_names(data, language)) for language in LANGUAGES}
    return title, body


def _words_of(kind: Kind, data: Mapping[str, Any]) -> Mapping[str, tuple[str, str]]:
    if kind is Kind.RESULTS_RELEASED and data["revised"]:
        return _REVISED
    if kind is Kind.ENROLMENT_CHANGED and not data["enrolled"]:
        return _NOT_ENROLLED
    if kind is Kind.KEY_SHOWN and data["stage"] == "final_key":
        return _FINAL_KEY
    if kind is Kind.OBJECTION_DECIDED and not data["accepted"]:
        return _REJECTED
    if kind is Kind.SUBMITTED:
        return _ENDED_BY.get(data["closed_by"], _TEXTS[kind])
    if kind is Kind.EXTRA_TIME and not data["extra_seconds"]:
        return _NO_EXTRA_TIME
    return _TEXTS[kind]


def _names(data: Mapping[str, Any], language: str) -> dict[str, str]:
    paper = data.get("paper") or {}
    return {
        "exam": in_language(data.get("exam_title") or {}, language),
        "paper": in_language(paper.get("title") or {}, language),
        "title": in_language(data.get("title") or {}, language),
        "score_before": str(data.get("score_before", "")),
        "score_after": str(data.get("score_after", "")),
        "roll_number": str(data.get("roll_number", "")),
        "test": in_language(data.get("test_title") or {}, language),
        "number": str(data.get("question_number", "")),
        "reason": str(data.get("reason", "")),
        "extra_time": length(data.get("extra_seconds", 0), language),
    }


def language_of(tag: str) -> str:
    """The language to use for a user: the user's own if there are texts in it, else English."""
    spoken = tag.partition("-")[0].lower()
    return spoken if spoken in LANGUAGES else LANGUAGES[0]


def in_language(text: Mapping[str, str], tag: str) -> str:
    """A localized text in a language, else in English, else in any language."""
    return text.get(tag) or text.get("en") or next(iter(text.values()), "")


def zone_of(name: str) -> ZoneInfo:
    """A time zone by name, or the default time zone if the name is unknown."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo(DEFAULT_TIME_ZONE)


def moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    """Format a time: "26 November 2026, 9:30 am IST", "26 नवंबर 2026, सुबह 9:30 बजे (IST)".

    The spaces within the time are no-break spaces.
    """
    local = at.astimezone(zone)
    day = f"{local.day} {_MONTHS[language][local.month - 1]} {local.year}"
    clock = f"{(local.hour - 1) % 12 + 1}:{local.minute:02}"
    words: tuple[str, ...]
    if language == "hi":
        words = (_part_of_day(local.hour), clock, "बजे", f"({_zone_name(local)})")
    else:
        words = (clock, "am" if local.hour < 12 else "pm", _zone_name(local))
    return f"{day}, {_NO_BREAK.join(words)}"


def length(seconds: int, language: str) -> str:
    """Format a length of time: "1 hour 20 minutes", "1 घंटा 20 मिनट"."""
    return _length(seconds, _UNITS[language])


def distance(left: timedelta, language: str) -> str:
    """Format the time until something: "20 minutes", "5 hours 35 minutes".

    In Hindi, the form required before "में". The time is rounded to minutes, or to five minutes from two hours
    on. It is at least one minute.
    """
    step = 1 if left < timedelta(hours=2) else 5
    minutes = max(round(left / timedelta(minutes=step)) * step, 1)
    return _length(minutes * 60, _UNITS_BEFORE_IN[language])


def opening_title(left: timedelta, language: str) -> str:
    """The title of a reminder that is shown this long before the paper opens."""
    return _OPENING_TITLE[language].format(distance=distance(left, language))


def reminders_to_come(papers: Sequence[Mapping[str, Any]], language: str) -> list[str]:
    """A sentence for each group of papers that have the same reminders to come."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for paper in papers:
        groups.setdefault(tuple(paper.get("reminders", ())), []).append(in_language(paper["title"], language))
    sentences = []
    for kinds, titles in groups.items():
        if times := [_REMINDER_TIMES[language][kind] for kind in kinds if kind in _REMINDER_TIMES[language]]:
            when = _AND[language].join(times)
            of = "" if len(titles) == len(papers) else _OF[language].format(titles=", ".join(titles))
            sentences.append(_REMINDER_SENTENCE[language].format(of=of, when=when))
    return sentences


def _length(seconds: int, units: Sequence[tuple[str, str]]) -> str:
    minutes, seconds = divmod(seconds, 60)
    parts = zip((*divmod(minutes, 60), seconds), units, strict=True)
    return " ".join(f"{count} {one if count == 1 else many}" for count, (one, many) in parts if count)


def _part_of_day(hour: int) -> str:
    if 4 <= hour < 12:
        return "सुबह"
    if 12 <= hour < 16:
        return "दोपहर"
    return "शाम" if 16 <= hour < 20 else "रात"


def _zone_name(local: datetime) -> str:
    """An abbreviation such as IST, or UTC+04 if the zone has none."""
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def greeting_name(name: str) -> str | None:
    """The name for a greeting, or None if it is unsuitable or may contain an address or a link.

    None if the name is blank or longer than 60 characters, if a word has a dot before its end, or if the name
    contains a digit or another sign than letters, their vowel signs, spaces, hyphens, apostrophes and dots.

    Anybody can register another person's address under a name such as "win at evil.example". Our mails must
    not deliver such a text.
    """
    plain = all(unicodedata.category(letter)[0] in "LM" or letter in " -'’." for letter in name)
    within_words = any("." in word[:-1] for word in name.split())
    return name if name.strip() and plain and not within_words and len(name) <= 60 else None

"""Fixed texts in English and Hindi, and in both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

DocumentLanguage = Literal["en", "hi", "both"]

HOME = ZoneInfo("Asia/Kolkata")

_HINDI_MONTHS = (
    "जनवरी",
    "फ़रवरी",
    "मार्च",
    "अप्रैल",
    "मई",
    "जून",
    "जुलाई",
    "अगस्त",
    "सितंबर",
    "अक्टूबर",
    "नवंबर",
    "दिसंबर",
)


@dataclass(frozen=True, slots=True)
class Text:
    """A fixed text. `{values}` in braces are filled in; a value may be a Text, too."""

    en: str
    hi: str

    def lines(self, language: DocumentLanguage, **values: object) -> list[str]:
        """The text, once for each language of the document."""
        return [self.filled(each, values) for each in _each(language)]

    def line(self, language: DocumentLanguage, **values: object) -> str:
        """The text in one line. A text that is equal in both languages appears once."""
        return " / ".join(dict.fromkeys(self.lines(language, **values)))

    def filled(self, language: Literal["en", "hi"], values: Mapping[str, object]) -> str:
        """The text in one language, with these values."""
        template = self.en if language == "en" else self.hi
        if not values:
            return template
        shown = {
            name: value.filled(language, {}) if isinstance(value, Text) else value
            for name, value in values.items()
        }
        return template.format(**shown)


def localized(text: Mapping[str, str]) -> Text:
    """A text of the institute. In a language that it does not have, another language is used."""
    other = next(iter(text.values()), "")
    english = text.get("en", other)
    return Text(english, text.get("hi", english))


def day(moment: datetime) -> Text:
    """The day in India."""
    local = moment.astimezone(HOME)
    hindi = f"{local.day} {_HINDI_MONTHS[local.month - 1]} {local.year}"
    return Text(f"{local.day} {local:%B} {local.year}", hindi)


def minute(moment: datetime) -> Text:
    """The day and the time in India."""
    local = moment.astimezone(HOME)
    shown = day(moment)
    return Text(f"{shown.en}, {local:%H:%M} IST", f"{shown.hi}, {local:%H:%M} IST")


def _each(language: DocumentLanguage) -> Sequence[Literal["en", "hi"]]:
    return ("en", "hi") if language == "both" else (language,)

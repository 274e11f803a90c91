"""The names that people give to the columns of a sheet of questions, in English and Hindi.

`question`, `option_a_hi` and the like are the names of the columns themselves. Every other name is in the
tables below: without signs, in small letters, with single spaces.
"""

import re
import unicodedata
from functools import lru_cache

_ALIASES = {
    "number": "q no|qno|q number|question no|question number|ques no|que no|sl|sl no|slno|s no|sno|sr|sr no"
    "|srno|serial|serial no|serial number|no|क्रम|क्रमांक|क्र|क्र सं|क्रम सं|क्रम संख्या|प्रश्न सं|प्रश्न संख्या"
    "|प्रश्न क्रमांक",
    "question": "question text|questions|question stem|stem|que|ques|q",
    "key": "answer|ans|ans key|answers|answer key|answer option|correct|correct answer|correct ans"
    "|correct option|correct key|right answer|right option|key answer|उत्तर|सही उत्तर|सही विकल्प|उत्तर कुंजी|कुंजी",
    "explanation": "explanations|rationale|explanation text|answer explanation|detailed solution",
    "subject": "subject name|paper subject|विषय",
    "chapter": "topic|topic name|chapter name|unit|अध्याय|टॉपिक|पाठ",
    "difficulty": "level|difficulty level|question level|कठिनाई|कठिनाई स्तर|स्तर",
    "tags": "tag|keywords|keyword|labels|टैग",
    "source": "reference|ref|source name|स्रोत",
    "image": "images|picture|figure|diagram|image name|image file|चित्र",
    "type": "question type|type of question|प्रश्न प्रकार|प्रकार",
    "status": "question status|स्थिति",
    "external_id": "question code|प्रश्न कोड",
    "fixed_options": "स्थिर विकल्प",
    "section": "section name|sections|खंड|खण्ड|भाग",
    "marks": "mark|positive marks|marks per question|max marks|अंक",
    "negative_marks": "negative mark|negative|negative marking|minus marks|ऋणात्मक अंक|नकारात्मक अंक",
    "passage_id": "passage no|passage number|passage code|passage name|गद्यांश सं|गद्यांश संख्या|गद्यांश क्रमांक"
    "|परिच्छेद संख्या",
    "passage": "passage text|comprehension|comprehension passage|reading passage|paragraph|common text"
    "|directions",
}
_TEXTS_BY_LANGUAGE = {
    "question": {"hi": "प्रश्न|सवाल|प्रश्न पाठ"},
    "explanation": {"hi": "व्याख्या|स्पष्टीकरण|हल"},
    "passage": {"hi": "गद्यांश|परिच्छेद|अनुच्छेद|अवतरण"},
}
_LANGUAGES = {
    "en": "en|eng|english|अंग्रेजी|अंग्रेज़ी",
    "hi": "hi|hin|hindi|हिंदी|हिन्दी",
    "bn": "bengali|bangla",
    "gu": "gujarati",
    "kn": "kannada",
    "ml": "malayalam",
    "mr": "marathi",
    "or": "odia|oriya",
    "pa": "punjabi",
    "ta": "tamil",
    "te": "telugu",
    "ur": "urdu",
}
_OPTION = re.compile(r"(?:(?P<head>option|opt|choice|alternative|विकल्प) ?)?(?P<place>[^ ]+)")
_PLACES = {
    **{letter: letter for letter in "abcdef"},
    **dict(zip("123456", "abcdef", strict=True)),
    **dict(zip("१२३४५६", "abcdef", strict=True)),
    **dict(zip("कखगघङच", "abcdef", strict=True)),
    **dict(zip("अबसद", "abcd", strict=True)),
}
_SIGNS = re.compile(r"[\W_]+")


def _by_alias(table: dict[str, str]) -> dict[str, str]:
    return {_plain(alias): name for name, aliases in table.items() for alias in aliases.split("|")}


def _plain(header: str) -> str:
    """Small letters and single spaces; signs such as those of `Q.No.` or `(a)` are spaces."""
    text = unicodedata.normalize("NFKC", header).casefold()
    kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in text if c not in "\u200c\u200d")
    return " ".join("".join(kept).split())


_NAME_OF = _by_alias(_ALIASES)
_LANGUAGE_OF = _by_alias(_LANGUAGES)
_TEXT_OF = {
    _plain(alias): (name, language)
    for name, languages in _TEXTS_BY_LANGUAGE.items()
    for language, aliases in languages.items()
    for alias in aliases.split("|")
}
_MANY_LANGUAGES = ("question", "explanation", "passage")


@lru_cache(maxsize=2_048)
def column_called(header: str) -> str | None:
    """Return the name of the column that people call so, such as `option_a_hi`; None if it is not known."""
    words = _plain(header[:100]).split()
    languages = [_LANGUAGE_OF[word] for word in words if word in _LANGUAGE_OF]
    if len(languages) > 1:
        return None
    said = " ".join(word for word in words if word not in _LANGUAGE_OF and word != "in")
    language = languages[0] if languages else None
    if option := _option(said):
        name, own = option
        return _in_language(name, language or own)
    if said in _TEXT_OF:
        name, own = _TEXT_OF[said]
        return _in_language(name, language or own)
    name = _NAME_OF.get(said, said if said in _MANY_LANGUAGES else "")
    if not name or (language and name not in _MANY_LANGUAGES):
        return None
    return _in_language(name, language)


def _option(said: str) -> tuple[str, str | None] | None:
    found = _OPTION.fullmatch(said)
    if found is None or found["place"] not in _PLACES:
        return None
    head, place = found["head"], found["place"]
    if head is None and place.isdecimal():  # a column called 1 may be anything
        return None
    in_hindi = head == "विकल्प" or (head is None and "\u0900" <= place <= "\u097f")
    return f"option_{_PLACES[place]}", "hi" if in_hindi else None


def _in_language(name: str, language: str | None) -> str:
    return name if language in (None, "en") else f"{name}_{language}"

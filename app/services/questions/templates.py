"""An empty sheet of questions to fill in: XLSX with lists of choices and notes, or CSV."""

from collections.abc import Mapping, Sequence
from typing import Literal

from app.engine.question_types import QUESTION_TYPES
from app.services.questions import template_hindi
from app.services.questions.columns import SHEET
from app.services.questions.exports import header_of
from app.services.questions.rows import DIFFICULTIES, STATUSES, TYPES
from app.sheets.templates import TemplateColumn, csv_template, xlsx_template
from app.sheets.writers import SheetFormat

TemplateLanguage = Literal["en", "hi"]
_LISTS: Mapping[str, Sequence[str]] = {
    "type": TYPES,
    "difficulty": DIFFICULTIES,
    "status": STATUSES,
    "key": tuple("abcd"),
}
_EXAMPLES: Sequence[Mapping[str, str]] = (
    {
        "number": "1",
        "subject": "Polity",
        "question": "Which part of the Constitution has the fundamental rights?",
        "question_hi": "संविधान के किस भाग में मूल अधिकार हैं?",
        "option_a": "Part II",
        "option_b": "Part III",
        "option_c": "Part IV",
        "option_d": "Part IVA",
        "option_a_hi": "भाग II",
        "option_b_hi": "भाग III",
        "option_c_hi": "भाग IV",
        "option_d_hi": "भाग IVA",
        "key": "b",
        "explanation": "Articles 12 to 35 are Part III.",
        "explanation_hi": "अनुच्छेद 12 से 35 भाग III में हैं।",
        "difficulty": "easy",
        "source": "Example",
    },
    {
        "number": "2",
        "subject": "Geography",
        "question": "Which two of these rivers flow into the Arabian Sea?",
        "question_hi": "इनमें से कौन-सी दो नदियाँ अरब सागर में गिरती हैं?",
        "option_a": "Godavari",
        "option_b": "Narmada",
        "option_c": "Mahanadi",
        "option_d": "Tapi",
        "option_a_hi": "गोदावरी",
        "option_b_hi": "नर्मदा",
        "option_c_hi": "महानदी",
        "option_d_hi": "तापी",
        "key": "bd",
        "source": "Example",
    },
)
_WIDE = ("question", "explanation", "option", "passage", "passage_")
_NOTES_HEADER = ("column", "what to write")
_NOTES = (
    ("question, option_a, option_b, key", "Required; all other columns may stay empty or be deleted."),
    (
        "question_hi, option_a_hi, …",
        "The same in Hindi; for other languages add columns such as question_ta.",
    ),
    (
        "key",
        (
            "b: option b. bd: exactly b and d. b|d: either. True/false: true or false. dropped: not marked;"
            ' "dropped: full_marks_to_all" names a rule.'
        ),
    ),
    *(kind.sheet_note for kind in QUESTION_TYPES.values() if kind.sheet_note),
    (
        "fixed_options",
        'Options that keep their places when options are shuffled: d, or c,d; "None of these" does anyway.',
    ),
    ("subject, chapter", "By name; a new name is created. The subject may be given for the whole sheet."),
    ("external_id", "Your own name for the question: importing it again changes this question."),
    ("source, number", "Where it was printed; without an external_id, these identify the question."),
    (
        "passage, passage_hi",
        "A text that several questions share: repeat it in the row of each, or write it once and name it.",
    ),
    ("passage_id", "A name of the passage: rows with the same name share it. The bank keeps the name."),
    (
        "section, marks, negative_marks",
        "Columns to add for a sheet that is published as a test; negative marks are typed as 0.66 or 2/3.",
    ),
    ("status", "Empty means active. The key of a draft may be empty."),
    ("tags", "At most 20, separated by commas; a comma within a tag has a backslash before it."),
    (
        "Formulas, dates, merged or hidden cells",
        "Are errors: type values. All cells here are formatted as text.",
    ),
)


def template(sheet_format: SheetFormat, language: TemplateLanguage = "en") -> bytes:
    """Return a sheet with a header and no questions, which has columns for English and Hindi.

    Importing it unchanged does nothing. The examples of the workbook stand in a sheet of their own, which an
    import does not read. `language` is that of headers and notes.
    """
    columns = _columns(language)
    if sheet_format is SheetFormat.CSV:
        return csv_template(columns)
    if language == "hi":
        notes = (template_hindi.NOTES_HEADER, *template_hindi.NOTES)
        return xlsx_template(SHEET, columns, notes, [_in_hindi(example) for example in _EXAMPLES])
    return xlsx_template(SHEET, columns, (_NOTES_HEADER, *_NOTES), _EXAMPLES)


def _columns(language: TemplateLanguage) -> list[TemplateColumn]:
    names = header_of(("hi",))
    headers: Mapping[str, str] = {}
    lists = _LISTS
    if language == "hi":
        headers, lists = template_hindi.HEADERS, {**_LISTS, "key": template_hindi.LETTERS[:4]}
        # Each text in Hindi stands before the English one.
        english = [name.removesuffix("_hi") for name in names]
        names = sorted(
            names, key=lambda name: (english.index(name.removesuffix("_hi")), not name.endswith("_hi"))
        )
    return [
        TemplateColumn(
            name,
            headers.get(name, name),
            is_wide=name.startswith(_WIDE) and name != "passage_id",
            choices=lists.get(name, ()),
            is_open=name == "key",
        )
        for name in names
    ]


def _in_hindi(example: Mapping[str, str]) -> Mapping[str, str]:
    """The example with the letter of its key in Devanagari."""
    letters = dict(zip("abcd", template_hindi.LETTERS, strict=False))
    return {**example, "key": letters.get(example["key"], example["key"])}

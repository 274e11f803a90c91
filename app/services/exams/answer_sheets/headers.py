"""What the name of a column says: the names that scanners' programs and institutes give to columns."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

ROLL_NUMBER = "roll_number"
SERIES = "series"
SCANNER_ERROR = "error"
IGNORED = "ignore"
MEANINGS = (ROLL_NUMBER, "name", "email", "category", "pwbd", SERIES, SCANNER_ERROR)

_NAMES: Mapping[str, str] = {
    alias: meaning
    for meaning, aliases in {
        ROLL_NUMBER: "roll roll_number roll_no roll_num rollnumber rollno registration_number registration_no"
        " reg_no regno regn_no enrolment_number enrolment_no enrollment_number enrollment_no candidate_id"
        " student_id hall_ticket_number hall_ticket_no admit_card_no seat_number seat_no"
        " रोल_नंबर रोल_नम्बर रोल_नं रोल_संख्या अनुक्रमांक",
        "name": "name candidate_name student_name name_of_candidate name_of_the_candidate नाम",
        "email": "email e_mail email_id email_address ईमेल",
        "category": "category श्रेणी",
        "pwbd": "pwbd",
        SERIES: "series set booklet_series test_booklet_series question_booklet_series booklet booklet_code"
        " test_series paper_set set_code question_paper_set qp_series सीरीज श्रृंखला शृंखला सेट",
        SCANNER_ERROR: "error errors scan_error scanner_error read_error scan_status error_message",
    }.items()
    for alias in aliases.split()
}
_DIGITS_OF_ROLL_NUMBER = {
    *("roll", "rollno", "rollnumber", "id", "reg", "regno", "digit", "studentid", "candidateid", "रोलनंबर")
}
_QUESTION = {
    *(
        "",
        "q",
        "qn",
        "qno",
        "que",
        "ques",
        "question",
        "questionno",
        "item",
        "a",
        "ans",
        "answer",
        "response",
    ),
    *("प्रश्न", "प्र", "प्रश्नसंख्या", "प्रश्नसं", "उत्तर"),
}
_NUMBERED = re.compile(r"(?P<prefix>[^0-9]*?)[\s._#()-]*0*(?P<number>[1-9][0-9]{0,4})[.)]?")
_SEPARATORS = re.compile(r"[\s._#()-]+")
_GROUP = re.compile(r"^\[[^]]*\]\s*")  # FormScanner writes the group of a question before its name


@dataclass(frozen=True, slots=True)
class Numbered:
    """The name of a column that ends in a number."""

    prefix: str
    number: int

    @property
    def is_question(self) -> bool:
        """Whether the prefix is a word for a question or an answer, or there is none."""
        return self.prefix in _QUESTION

    @property
    def is_digit(self) -> bool:
        """Whether the column has a single digit of a roll number."""
        return self.prefix in _DIGITS_OF_ROLL_NUMBER


def meaning_of(name: str) -> str | None:
    """What a column is that is not numbered: one of MEANINGS, or None if that is not known."""
    plain = re.sub(r"[\s./:-]+", "_", _plain(name)).strip("_")
    return _NAMES.get(plain)


def numbered(name: str) -> Numbered | None:
    """`Q 01`, `Question 1`, `प्रश्न १` or `1` → the number; None for a name without one at its end."""
    match = _NUMBERED.fullmatch(_GROUP.sub("", _plain(name)))
    if match is None:
        return None
    return Numbered(_SEPARATORS.sub("", match["prefix"]), int(match["number"]))


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", " ".join(name.split())).casefold()
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in text)

"""Fixed texts of printed documents, by language."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from app.services.printing.documents import PrintLanguage


@dataclass(frozen=True, slots=True)
class Wording:
    """The fixed texts in one language."""

    paper: str
    solutions: str
    version: str
    draft: str
    time_allowed: str
    maximum_marks: str
    instructions: str
    contents: str
    contents_in_sections: str
    each_carries: str
    deducted: str
    not_deducted: str
    marks_differ: str
    unanswered_deducted: str
    unanswered_awarded: str
    unanswered: str
    not_attempted: str
    most_unmarked: str
    one_option: str
    prevailing: str
    questions: str
    question: str
    choose: str
    answer_line: str
    passage: str
    passage_of_one: str
    no_explanation: str
    dropped: str
    both: str
    either: str
    languages: Mapping[str, str]
    marks: Callable[[Fraction], str]
    duration: Callable[[int], str]


def figure(marks: Fraction) -> str:
    """Format marks: 2, 2.5, but 2/3."""
    hundredths = marks * 100
    if marks.denominator == 1 or hundredths.denominator > 1:
        return str(marks)
    return f"{float(marks):.2f}".rstrip("0")


def _english_marks(marks: Fraction) -> str:
    return f"{figure(marks)} mark{'' if abs(marks) <= 1 else 's'}"


def _english_duration(seconds: int) -> str:
    parts = zip(_clock(seconds), ("hour", "minute", "second"), strict=True)
    return " ".join(f"{count} {name}{'' if count == 1 else 's'}" for count, name in parts if count)


def _hindi_duration(seconds: int) -> str:
    hours = "घंटा" if seconds // 3600 == 1 else "घंटे"
    parts = zip(_clock(seconds), (hours, "मिनट", "सेकंड"), strict=True)
    return " ".join(f"{count} {name}" for count, name in parts if count)


def _clock(seconds: int) -> tuple[int, int, int]:
    return seconds // 3600, seconds // 60 % 60, seconds % 60


ENGLISH = Wording(
    paper="Question paper",
    solutions="Answer key and solutions",
    version="Version {version}",
    draft="Draft, not published",
    time_allowed="Time allowed: {duration}",
    maximum_marks="Maximum marks: {marks}",
    instructions="Instructions",
    contents="This paper has {questions} questions.",
    contents_in_sections="This paper has {questions} questions in {sections} sections.",
    each_carries="Each question carries {marks}.",
    deducted="For each wrong answer {marks} will be deducted.",
    not_deducted="Nothing is deducted for a wrong answer.",
    marks_differ="Questions carry different marks; each section or question says which.",
    unanswered_deducted="For each question without any answer {marks} will be deducted.",
    unanswered_awarded="For each question without any answer {marks} will be given.",
    unanswered="no answer {marks}",
    not_attempted="If you do not attempt a question, choose ({option}): nothing is added or deducted.",
    most_unmarked="Leaving more than {percent}% of the questions unanswered leads to disqualification.",
    one_option="Choose one option for each question, unless the question says otherwise.",
    prevailing="Where the texts in several languages differ, the {language} text holds.",
    questions="Questions {first} to {last}",
    question="Question {first}",
    choose="Answer any {choose}; the first {choose} answered count",
    answer_line="Answer:",
    passage="Read the following and answer questions {first} to {last}.",
    passage_of_one="Read the following and answer question {first}.",
    no_explanation="There is no explanation.",
    dropped="dropped",
    both=" and ",
    either=" or ",
    languages={"en": "English", "hi": "Hindi"},
    marks=_english_marks,
    duration=_english_duration,
)

HINDI = Wording(
    paper="प्रश्न-पत्र",
    solutions="उत्तर कुंजी और व्याख्या",
    version="संस्करण {version}",
    draft="प्रारूप, अप्रकाशित",
    time_allowed="निर्धारित समय : {duration}",
    maximum_marks="पूर्णांक : {marks}",
    instructions="अनुदेश",
    contents="इस प्रश्न-पत्र में {questions} प्रश्न हैं।",
    contents_in_sections="इस प्रश्न-पत्र में {questions} प्रश्न हैं, जो {sections} खंडों में दिए गए हैं।",
    each_carries="प्रत्येक प्रश्न के लिए {marks} निर्धारित हैं।",
    deducted="प्रत्येक गलत उत्तर के लिए {marks} काटे जाएँगे।",
    not_deducted="गलत उत्तर के लिए अंक नहीं काटे जाएँगे।",
    marks_differ="प्रश्नों के अंक भिन्न-भिन्न हैं; वे प्रत्येक खंड या प्रश्न के साथ दिए गए हैं।",
    unanswered_deducted="बिना किसी उत्तर के छोड़े गए प्रत्येक प्रश्न के लिए {marks} काटे जाएँगे।",
    unanswered_awarded="बिना किसी उत्तर के छोड़े गए प्रत्येक प्रश्न के लिए {marks} दिए जाएँगे।",
    unanswered="बिना उत्तर {marks}",
    not_attempted="यदि आप किसी प्रश्न का उत्तर नहीं देना चाहते, तो ({option}) चुनिए : न अंक जोड़े जाएँगे, न काटे जाएँगे।",
    most_unmarked="{percent}% से अधिक प्रश्न बिना किसी उत्तर के छोड़ने वाले अभ्यर्थी अयोग्य घोषित किए जाएँगे।",
    one_option="प्रत्येक प्रश्न के लिए एक ही विकल्प चुनिए, जब तक प्रश्न में अन्यथा न कहा गया हो।",
    prevailing="विभिन्न भाषाओं के पाठ में अंतर होने पर {language} पाठ मान्य होगा।",
    questions="प्रश्न {first} से {last}",
    question="प्रश्न {first}",
    choose="कोई {choose} प्रश्न कीजिए; जिनके उत्तर दिए गए हों उनमें से पहले {choose} गिने जाएँगे",
    answer_line="उत्तर :",
    passage="निम्नलिखित को पढ़िए और प्रश्न {first} से {last} तक के उत्तर दीजिए।",
    passage_of_one="निम्नलिखित को पढ़िए और प्रश्न {first} का उत्तर दीजिए।",
    no_explanation="व्याख्या उपलब्ध नहीं है।",
    dropped="निरस्त",
    both=" और ",
    either=" या ",
    languages={"en": "अंग्रेज़ी", "hi": "हिंदी"},
    marks=lambda marks: f"{figure(marks)} अंक",
    duration=_hindi_duration,
)

WORDINGS: Mapping[PrintLanguage, Wording] = {"en": ENGLISH, "hi": HINDI}

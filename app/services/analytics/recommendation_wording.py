"""The sentences of recommendations in English and Hindi."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.engine.recommending import HORIZON_DAYS, MIN_ANSWERS, Action, Ground, Kind
from app.models import LocalizedText

LANGUAGES = ("en", "hi")


@dataclass(frozen=True, slots=True)
class _Text:
    title: str
    reason: str


_TEXTS: Mapping[Ground, Mapping[str, _Text]] = {
    Ground.DUE: {
        "en": _Text(
            "Revise {count} questions",
            "You missed these questions or were not sure of them, and are about to forget their answers.",
        ),
        "hi": _Text(
            "{count} प्रश्न दोहराएँ",
            "ये प्रश्न आपसे छूट गए थे या आप इनके उत्तर को लेकर आश्वस्त नहीं थे, और अब आप इन्हें भूलने लगे हैं।",
        ),
    },
    Ground.WEAK_SUBJECT: {
        "en": _Text(
            "Practise {name}",
            "{name} is your weaker side: about {percent} % right, which is proven to be less than in your"
            " other subjects. A full paper has about {weight} questions of it.",
        ),
        "hi": _Text(
            "{name} का अभ्यास करें",
            "{name} आपका कमज़ोर पक्ष है: लगभग {percent} % उत्तर सही, जो आपके अन्य विषयों से निश्चित रूप से कम है।"
            " एक पूरे प्रश्नपत्र में इसके लगभग {weight} प्रश्न होते हैं।",
        ),
    },
    Ground.HEAVY_SUBJECT: {
        "en": _Text(
            "Practise {name}",
            "A full paper has about {weight} questions of {name}, and about {percent} % of yours are right:"
            " here is room for marks.",
        ),
        "hi": _Text(
            "{name} का अभ्यास करें",
            "एक पूरे प्रश्नपत्र में {name} के लगभग {weight} प्रश्न होते हैं, और आपके लगभग {percent} % उत्तर सही हैं:"
            " यहाँ अंक बढ़ाने की गुंजाइश है।",
        ),
    },
    Ground.NEW_SUBJECT: {
        "en": _Text(
            "Begin with {name}",
            "You have answered {n} questions of {name}, and a full paper has about {weight}. With"
            " {fewest} answers we can say how you stand.",
        ),
        "hi": _Text(
            "{name} से शुरुआत करें",
            "आपने {name} के {n} प्रश्नों के उत्तर दिए हैं, और एक पूरे प्रश्नपत्र में लगभग {weight} होते हैं।"
            " {fewest} उत्तरों के बाद हम बता सकेंगे कि आपकी स्थिति क्या है।",
        ),
    },
    Ground.WEAK_CHAPTER: {
        "en": _Text(
            "Work on {name}",
            "In {name} about {percent} % of your answers are right, which is proven to be less than in the"
            " rest of {subject}.",
        ),
        "hi": _Text(
            "{name} पर काम करें",
            "{name} में आपके लगभग {percent} % उत्तर सही हैं, जो {subject} के बाकी हिस्से से निश्चित रूप से कम है।",
        ),
    },
    Ground.LOW_CHAPTER: {
        "en": _Text(
            "Look again at {name}",
            "In {name} about {percent} % of your {n} answers are right, less than in the rest of {subject}."
            " That may still be chance.",
        ),
        "hi": _Text(
            "{name} को फिर देखें",
            "{name} में आपके {n} उत्तरों में से लगभग {percent} % सही हैं, जो {subject} के बाकी हिस्से से कम है।"
            " यह अभी संयोग भी हो सकता है।",
        ),
    },
    Ground.NEW_CHAPTER: {
        "en": _Text("Begin with {name}", "You have not seen a question of {name} yet."),
        "hi": _Text("{name} से शुरुआत करें", "आपने {name} का कोई प्रश्न अभी तक नहीं देखा है।"),
    },
    Ground.FIRST_TEST: {
        "en": _Text(
            "Take a first test: {name}",
            "It shows where you stand in each subject, and makes you used to the format and its time.",
        ),
        "hi": _Text(
            "पहला टेस्ट दें: {name}",
            "इससे पता चलता है कि हर विषय में आपकी स्थिति क्या है, और आप प्रारूप तथा समय के अभ्यस्त होते हैं।",
        ),
    },
    Ground.NEXT_TEST: {
        "en": _Text(
            "Take the test {name}",
            "Its {count} questions are new to you, and each one that you miss and read up is worth marks.",
        ),
        "hi": _Text(
            "टेस्ट दें: {name}",
            "इसके {count} प्रश्न आपके लिए नए हैं, और छूटे हुए हर प्रश्न की व्याख्या पढ़ने से अंक बढ़ते हैं।",
        ),
    },
    Ground.BLIND_GUESSES: {
        "en": _Text(
            "Leave blind guesses blank",
            "Of {n} answers that you called a guess, about {percent} % were right. That is proven to be too"
            " few: wrong answers cost more than these gained.",
        ),
        "hi": _Text(
            "अंधे अनुमान न लगाएँ",
            "जिन {n} उत्तरों को आपने अनुमान बताया, उनमें लगभग {percent} % सही थे। यह निश्चित रूप से बहुत कम है:"
            " गलत उत्तरों से जितने अंक गए, उतने मिले नहीं।",
        ),
    },
    Ground.FIFTY_FIFTIES: {
        "en": _Text(
            "Answer more of your fifty-fifties",
            "Of {n} answers that you were not sure of, about {percent} % were right: they gain marks, and you"
            " leave many questions blank.",
        ),
        "hi": _Text(
            "दो विकल्पों में अटके प्रश्नों के भी उत्तर दें",
            "जिन {n} उत्तरों को लेकर आप आश्वस्त नहीं थे, उनमें लगभग {percent} % सही थे: इनसे अंक बढ़ते हैं,"
            " और आप बहुत से प्रश्न खाली छोड़ते हैं।",
        ),
    },
}

_FORECAST: LocalizedText = {
    "en": f"Marks in your next full paper, if each question that you miss is read up and {HORIZON_DAYS} days"
    " pass. It is a forecast from your answers, the weight of the subject and the curve of forgetting.",
    "hi": f"आपके अगले पूरे प्रश्नपत्र में अंक, यदि छूटे हुए हर प्रश्न की व्याख्या पढ़ी जाए और {HORIZON_DAYS} दिन"
    " बीतें। यह आपके उत्तरों, विषय के भार और भूलने की दर से किया गया पूर्वानुमान है।",
}
_HABIT: LocalizedText = {
    "en": "Marks in your next full paper, if you answer as lately in everything else.",
    "hi": "आपके अगले पूरे प्रश्नपत्र में अंक, यदि बाकी सब में आप हाल की तरह ही उत्तर दें।",
}
_MISSING: LocalizedText = {
    "en": "This needs {fewest} answers. There are {n}.",
    "hi": "इसके लिए {fewest} उत्तर चाहिए। अभी {n} हैं।",
}


def title_and_reason(
    action: Action, name: LocalizedText, subject: LocalizedText
) -> tuple[LocalizedText, LocalizedText]:
    """The title and the reason of an action. `name` is that of its target, `subject` of the subject."""
    titles, reasons = {}, {}
    for language in LANGUAGES:
        values = {
            "name": in_language(name, language),
            "subject": in_language(subject, language),
            "count": len(action.questions) if action.kind is Kind.REVISE else action.count,
            "n": action.share.n if action.share else action.gain.n,
            "percent": round(100 * action.share.value) if action.share else 0,
            "weight": round(action.weight),
            "fewest": MIN_ANSWERS,
        }
        text = _TEXTS[action.ground][language]
        titles[language], reasons[language] = text.title.format_map(values), text.reason.format_map(values)
    return titles, reasons


def basis_of(action: Action) -> LocalizedText:
    """What the stated gain rests on."""
    return _HABIT if action.kind is Kind.TECHNIQUE else _FORECAST


def missing(action: Action) -> LocalizedText:
    """Why no gain is stated."""
    return {
        language: text.format_map({"fewest": MIN_ANSWERS, "n": action.gain.n})
        for language, text in _MISSING.items()
    }


def in_language(text: LocalizedText, language: str) -> str:
    """A text in this language, else in English, else in the first language that it has."""
    return text.get(language) or text.get("en") or next(iter(text.values()), "")

"""Fixed texts of result sheets, certificates and merit lists."""

from collections.abc import Mapping

from app.services.result_documents.languages import Text

RESULT_SHEET = Text("Result sheet", "परिणाम-पत्रक")
MERIT_LIST = Text("Merit list", "योग्यता सूची")

RESPONSE_SHEET = Text("Response sheet", "उत्तर-पत्रक")

NAME = Text("Name", "नाम")
ROLL_NUMBER = Text("Roll number", "अनुक्रमांक")
CATEGORY = Text("Category", "श्रेणी")
OUTCOME = Text("Outcome", "परिणाम")

PAPER = Text("Paper", "प्रश्न-पत्र")
SECTION = Text("Section", "खंड")
MARKS = Text("Marks", "प्राप्तांक")
MAXIMUM = Text("Maximum", "पूर्णांक")
QUALIFYING_MARKS = Text("Qualifying", "अर्हक")
RANK_IN_PAPER = Text("Rank in paper", "पत्र में रैंक")
PERCENTILE = Text("Percentile", "पर्सेंटाइल")
RIGHT = Text("Right", "सही")
WRONG = Text("Wrong", "गलत")
PARTLY_RIGHT = Text("Partly right", "आंशिक सही")
DROPPED = Text("Dropped", "निरस्त")
BLANK = Text("Blank", "रिक्त")

TOTAL = Text("Total", "कुल अंक")
RANK = Text("Rank", "रैंक")
CATEGORY_RANK = Text("Rank in category", "श्रेणी में रैंक")
PWBD_RANK = Text("Rank in PwBD", "दिव्यांगजन में रैंक")
RANK_OF = Text("of {participants}", "{participants} में से")
TOTAL_OF = Text("of {maximum}", "{maximum} में से")
NORMALIZED_BY = {
    "nta_percentile": Text("percentile score of all sessions", "सभी सत्रों का पर्सेंटाइल स्कोर"),
    "ssc_2019": Text("normalized by SSC's formula of 2019", "SSC के 2019 के सूत्र से सामान्यीकृत"),
    "equipercentile": Text("normalized by the equipercentile method", "इक्विपर्सेंटाइल विधि से सामान्यीकृत"),
}
CUTOFF = Text("Cut-off", "कट-ऑफ़")

YES = Text("yes", "हाँ")
NO = Text("no", "नहीं")
PASSED = Text("qualified", "अर्ह")
NOT_PASSED = Text("not qualified", "अनर्ह")
CLEARED = Text("cleared", "उत्तीर्ण")
NOT_CLEARED = Text("not cleared", "अनुत्तीर्ण")
SUBMITTED = Text("Submitted", "जमा करने का समय")
MISSED = Text("not taken", "अनुपस्थित")
NONE = "–"

CATEGORIES: Mapping[str, Text] = {
    "general": Text("General", "सामान्य"),
    "ews": Text("EWS", "ईडब्ल्यूएस"),
    "obc": Text("OBC", "अन्य पिछड़ा वर्ग"),
    "sc": Text("SC", "अनुसूचित जाति"),
    "st": Text("ST", "अनुसूचित जनजाति"),
    "pwbd": Text("PwBD", "दिव्यांगजन"),
    **{f"pwbd_{kind}": Text(f"PwBD-{kind}", f"दिव्यांगजन-{kind}") for kind in range(1, 6)},
}
"""The groups that have cut-offs."""

SHORT_CATEGORIES: Mapping[str, Text] = {
    **CATEGORIES,
    "general": Text("Gen", "सामान्य"),
    "obc": Text("OBC", "अ.पि.व."),
    "sc": Text("SC", "अ.जा."),
    "st": Text("ST", "अ.ज.जा."),
}

OUTCOMES: Mapping[str, Text] = {
    "ranked": Text("Ranked", "रैंक प्राप्त"),
    "not_qualified": Text("Not qualified", "अनर्ह"),
    "incomplete": Text("A paper was not taken", "एक प्रश्न-पत्र नहीं दिया"),
    "absent": Text("Absent", "अनुपस्थित"),
    "void": Text("Void", "निरस्त"),
    "disqualified": Text("Disqualified", "अयोग्य घोषित"),
    "staff": Text("Staff, not ranked", "कर्मचारी, रैंक नहीं"),
}

PERCENTILES_ARE: Mapping[str, Text] = {
    "at_or_below": Text(
        "Percentile (at or below): of all ranked candidates, the percentage with the same or a lower score.",
        "पर्सेंटाइल (समान या कम) : रैंक पाने वाले सभी अभ्यर्थियों में से समान या कम अंक वालों का प्रतिशत।",
    ),
    "mid_rank": Text(
        "Percentile (mid-rank): of all ranked candidates, the percentage with a lower score,"
        " and half of those with the same.",
        "पर्सेंटाइल (मध्य रैंक) : रैंक पाने वाले सभी अभ्यर्थियों में से कम अंक वालों और समान अंक वालों के आधे का प्रतिशत।",
    ),
    "better_than": Text(
        "Percentile (better than): of all ranked candidates, the percentage with a lower score.",
        "पर्सेंटाइल (से बेहतर) : रैंक पाने वाले सभी अभ्यर्थियों में से कम अंक वालों का प्रतिशत।",
    ),
}
"""By the definition of the release."""
PERCENTILE_IS = PERCENTILES_ARE["at_or_below"]
"""That of tests."""

RELEASED = Text(
    "Results of version {version}, released on {day}.", "परिणाम का संस्करण {version}, {day} को जारी।"
)
REVISED = Text(
    "The result was revised. In version {version}: total {total}, rank {rank}.",
    "परिणाम संशोधित है। संस्करण {version} में : कुल अंक {total}, रैंक {rank}।",
)
KEY_REVISED = Text(
    "The answer key was revised on {day}: marks {before}, then {after};"
    " rank {rank_before}, then {rank_after}.",
    "उत्तर कुंजी {day} को संशोधित : अंक {before}, फिर {after}; रैंक {rank_before}, फिर {rank_after}।",
)
EQUAL_SCORES = Text(
    "Candidates with equal totals share a rank. Ranks compare the exact totals.",
    "समान कुल अंक पाने वाले अभ्यर्थियों की रैंक समान है। रैंक सटीक कुल अंकों से निकाली जाती है।",
)
ORDERED_BY_TIE_BREAKS = Text(
    "Ranks compare the exact totals. Candidates with equal totals are ordered by the tie-breaks of the exam.",
    "रैंक सटीक कुल अंकों से निकाली जाती है। समान कुल अंक पाने वाले अभ्यर्थियों का क्रम परीक्षा के टाई-ब्रेक नियमों से तय होता है।",
)


def ranks_are(tie_breaks: object) -> Text:
    """How ranks were found, by the tie-breaks of the release."""
    return EQUAL_SCORES if tie_breaks == "none" else ORDERED_BY_TIE_BREAKS


LIVE_RANK = Text(
    "The rank is of {day}. It changes as others take the test.",
    "रैंक {day} की है। अन्य अभ्यर्थियों के टेस्ट देने पर यह बदलती है।",
)
MARKED_BY = Text("Marked by version {version} of the answer key.", "उत्तर कुंजी के संस्करण {version} से मूल्यांकित।")
VERIFICATION = Text("Verification", "सत्यापन")
VERIFICATION_NOTE = Text(
    "The institute's staff can look this up by document and digest.",
    "संस्थान के कर्मचारी दस्तावेज़ और डाइजेस्ट से इसकी जाँच कर सकते हैं।",
)
DOCUMENT = Text("Document", "दस्तावेज़")
VERSION = Text("Version", "संस्करण")
DIGEST = Text("Digest", "डाइजेस्ट")
PRINTED_ON = Text("Printed on {minute}", "{minute} को मुद्रित")

CERTIFIES = Text("This is to certify that", "प्रमाणित किया जाता है कि")
HAS_RANK = Text(
    "secured rank {rank} among {participants} candidates in",
    "ने {participants} अभ्यर्थियों में रैंक {rank} प्राप्त की। परीक्षा :",
)
HAS_QUALIFIED = Text("qualified in", "ने अर्हता प्राप्त की। परीक्षा :")
TOOK_PART = Text("took part in", "ने भाग लिया। परीक्षा :")
CERTIFICATE_OF_RANK = Text("Certificate of merit", "योग्यता प्रमाण-पत्र")
CERTIFICATE_OF_QUALIFYING = Text("Certificate of qualification", "अर्हता प्रमाण-पत्र")
CERTIFICATE_OF_PARTICIPATION = Text("Certificate of participation", "सहभागिता प्रमाण-पत्र")
SIGNATORY = Text("Authorized signatory", "प्राधिकृत हस्ताक्षरकर्ता")
DATE = Text("Date", "दिनांक")

CUTOFFS_WERE = Text("Cut-offs: {cutoffs}.", "कट-ऑफ़ : {cutoffs}।")
NO_CUTOFF = Text("No cut-off is set.", "कोई कट-ऑफ़ निर्धारित नहीं है।")
END_OF_LIST = Text("End of the list: {count} candidates.", "सूची समाप्त : {count} अभ्यर्थी।")
CUTOFF_CLEARED = Text("Cut-off cleared", "कट-ऑफ़ पार")

QUESTION_NUMBER = Text("No.", "सं.")
ANSWER = Text("Answer", "उत्तर")
CHANGES = Text("Changes", "बदलाव")
TIME_SPENT = Text("Time", "समय")
SAVED_AT = Text("Saved at", "सहेजा गया")
STARTED = Text("Started", "आरंभ")
ANSWERED = Text("Answered", "उत्तर दिए")
PAPER_VERSION = Text("Version of the paper", "प्रश्न-पत्र का संस्करण")
DEVICE_TERMS = Text("Starts and resumptions", "आरंभ और पुनः आरंभ")
ATTEMPT = Text("Attempt", "प्रयास")
SIGNATURE = Text("Signature", "हस्ताक्षर")
SIGNING_KEY = Text("Key", "कुंजी")
LOG_DIGEST = Text("Digest of the log", "लॉग का डाइजेस्ट")
AS_OF = Text("As of", "स्थिति का समय")
SIGNED_IS = Text(
    "The signed sheet is attached to this PDF as a file. Anybody can verify it with `ias verify`.",
    "हस्ताक्षरित पत्रक इस PDF में फ़ाइल के रूप में संलग्न है। `ias verify` से कोई भी इसकी जाँच कर सकता है।",
)
VOID = Text("The attempt is void.", "प्रयास निरस्त है।")
RESPONSES_ARE = Text(
    "The answers that count, as they were saved. Letters are those of the options in the paper's order."
    " Time is in minutes and seconds; the time of saving is that of India.",
    "मान्य उत्तर, जैसे वे सहेजे गए। अक्षर प्रश्न-पत्र के क्रम में विकल्पों के हैं। समय मिनट और सेकंड में है;"
    " सहेजने का समय भारतीय समय है।",
)

"""Examples of bodies, by the name of their schema. Tests validate them.

A body that is not here gets an example that is composed from its fields (`examples.py`).
"""

from app.api.openapi.operations import Json
from app.engine.question_types import SINGLE_CHOICE

_FIRST, _SECOND = "0198a5c0-7c1e-7000-8000-000000000001", "0198a5c0-7c1e-7000-8000-000000000002"

EXAMPLES: dict[str, Json] = {
    "AccommodationsIn": {
        "items": [
            {"roll_number": "1000123", "extra_seconds": 2400, "reason": "A scribe writes for the candidate."}
        ]
    },
    "AccommodationsTakenBackIn": {"items": [{"roll_number": "1000123", "reason": "Granted by mistake."}]},
    "AccountIn": {"name": "Asha Verma"},
    "AnnouncementIn": {"text": {"en": "The paper opens ten minutes later."}},
    "BulkIn": {"attempt_ids": "all", "seconds": 600, "reason": "A power cut in hall 2."},
    "CancelIn": {"reason": "The venue is flooded."},
    "ChapterChanges": {"name": {"en": "Parliament", "hi": "संसद"}},
    "ChapterIn": {"slug": "parliament", "name": {"en": "Parliament", "hi": "संसद"}},
    "ClosePaperIn": {"reason": "The hall is evacuated."},
    "CompileQuestionIn": {
        "format": "statements",
        "intro": {"en": "Consider the following statements."},
        "statements": [
            {"text": {"en": "The Constitution came into force in 1950."}, "correct": True},
            {"text": {"en": "It has no preamble."}, "correct": False},
        ],
        "ask": "correct",
    },
    "DecideIn": {
        "question_id": _FIRST,
        "claimed_key": {"accepted": [["b"]]},
        "accept": True,
        "reason": "Article 368 requires a special majority.",
    },
    "DeviceIn": {"platform": "android", "language": "hi"},
    "ObjectionIn": {
        "question_id": _FIRST,
        "claimed_key": {"accepted": [["b"]]},
        "explanation": "Article 368 requires a special majority.",
        "sources": [
            {"title": "The Constitution of India", "page": "Article 368"},
            {"title": "M. Laxmikanth, Indian Polity, 7th edition", "page": "11.3"},
            {"title": "NCERT, Indian Constitution at Work", "url": "https://ncert.nic.in/textbook.php"},
        ],
    },
    "ExamChangesIn": {"closes_at": "2027-05-23T13:00:00Z"},
    "ExamIn": {
        "title": {"en": "All-India mock prelims", "hi": "अखिल भारतीय मॉक प्रारंभिक परीक्षा"},
        "opens_at": "2027-05-01T04:00:00Z",
        "closes_at": "2027-05-23T12:00:00Z",
        "registration": "required",
        "cutoffs": {"general": "98.00", "obc": "95.34"},
    },
    "ResultFileIn": {
        "kind": "certificates",
        "language": "both",
        "only": {"categories": ["sc", "st"], "roll_numbers": []},
    },
    "ExamPaperChangesIn": {"entry_closes_at": "2027-05-23T04:45:00Z"},
    "ExamPaperIn": {
        "code": "GS1",
        "title": {"en": "General Studies I"},
        "test_id": _FIRST,
        "starts_at": "2027-05-23T04:00:00Z",
        "entry_closes_at": "2027-05-23T04:30:00Z",
        "ends_at": "2027-05-23T06:00:00Z",
        "qualifying_percent": "33",
        "counts_for_merit": True,
    },
    "ExportIn": {"format": "xlsx", "tag": ["rights"], "status": "active"},
    "ExtendIn": {"seconds": 600, "reason": "A power cut in hall 2."},
    "ImportAnswerSheetsForm": {
        "file": "(the content of answers.csv)",
        "dry_run": True,
        "roll_number": "roll_number",
    },
    "ImportQuestionsForm": {"file": "(the content of questions.xlsx)", "dry_run": True, "subject": "Polity"},
    "KeyRevisionIn": {
        "changes": [{"question_id": _FIRST, "key": {"accepted": [["b"], ["c"]]}}],
        "reason": "Both b and c are right by the Act of 2019.",
        "keep": "new",
    },
    "LoginIn": {"email": "asha@example.org", "password": "two words and 1 more"},
    "LogoutIn": {"scope": "others"},
    "MaybeReasonIn": {"reason": "The candidate is unwell."},
    "PassageChanges": {"text": {"en": "Read the passage and answer the three questions below it."}},
    "PassageIn": {"text": {"en": "Read the passage and answer the two questions below it."}},
    "PreferencesIn": {"quiet_hours": {"from": "22:00", "to": "07:00"}},
    "ProfileIn": {"category": "obc", "target_year": 2027, "language": "hi", "timezone": "Asia/Kolkata"},
    "PublishIn": {"ranked_with": 1},
    "QuestionChanges": {"key": ["a"], "explanation": {"en": "Article 14 of the Constitution."}},
    "QuestionIn": {
        "subject_id": _FIRST,
        "type": SINGLE_CHOICE.name,
        "text": {"en": "Which Article abolishes untouchability?"},
        "options": [{"id": "a", "text": {"en": "Article 14"}}, {"id": "b", "text": {"en": "Article 17"}}],
        "key": {"accepted": [["b"]]},
        "explanation": {"en": "Article 17 of the Constitution."},
        "difficulty": "easy",
        "tags": ["rights"],
    },
    "ReasonIn": {"reason": "The candidate asked for it in writing."},
    "RefreshIn": {"refresh_token": "v1.MdLnpcPs"},
    "RegisterIn": {"email": "asha@example.org", "password": "two words and 1 more", "name": "Asha Verma"},
    "ReleaseIn": {"dry_run": True},
    "ReopenIn": {"seconds": 600, "reason": "Submitted by mistake before the time was up."},
    "ResetPasswordIn": {"token": "pkce_3f0c", "password": "two words and 1 more"},
    "ResponsesIn": {
        "attempt_id": _FIRST,
        "lease": 1,
        "responses": [
            {
                "question_id": _SECOND,
                "revision": 5,
                "answer": ["c"],
                "marked_for_review": True,
                "time_spent_ms": 61200,
                "confidence": "sure",
            }
        ],
    },
    "SecondsIn": {"seconds": 600, "reason": "A power cut in hall 2."},
    "StartIn": {"device": "Pixel 8, app 1.4"},
    "SubjectChanges": {"position": 2},
    "SubjectIn": {"slug": "polity", "name": {"en": "Polity", "hi": "राजव्यवस्था"}, "position": 1},
    "TestChangesIn": {"duration_seconds": 5400, "review": "after_submit"},
    "TestIn": {
        "title": {"en": "Polity mock test 1", "hi": "राजव्यवस्था मॉक टेस्ट 1"},
        "kind": "full",
        "duration_seconds": 7200,
        "languages": ["en", "hi"],
        "marking": {
            "correct": "2",
            "incorrect": "-2/3",
            "unattempted": "0",
            "dropped": "prorate",
            "rounding": "upsc",
        },
        "sections": [{"name": {"en": "General Studies"}, "question_ids": [_FIRST]}],
        "shuffle": {"questions": False, "options": True},
        "attempts_allowed": 3,
    },
    "TicketIn": {"path": "/ws/notifications"},
    "TokenIn": {"token": "pkce_3f0c"},
    "UploadMediaForm": {"file": "(the content of map.png)"},
}

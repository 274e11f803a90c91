"""What proves an attempt: signed response sheets, and its timeline for staff."""

from app.services.proof.documents import sheet_document
from app.services.proof.finding import attempt_at_paper, attempt_at_test
from app.services.proof.sheets import SignedSheet, sign
from app.services.proof.timeline import TimelineEvent, timeline

__all__ = [
    "SignedSheet",
    "TimelineEvent",
    "attempt_at_paper",
    "attempt_at_test",
    "sheet_document",
    "sign",
    "timeline",
]

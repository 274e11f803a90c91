"""Results to hand out as PDF: result sheets, certificates and merit lists (docs/decisions/0080)."""

from app.services.result_documents.building import build
from app.services.result_documents.documents import Document, pdf
from app.services.result_documents.files import BATCH, delete_expired
from app.services.result_documents.issuing import issue_certificate, issue_exam_sheet
from app.services.result_documents.languages import DocumentLanguage
from app.services.result_documents.looking_up import FoundResult, look_up
from app.services.result_documents.merit_lists import merit_document
from app.services.result_documents.requests import (
    ReadyFile,
    ResultFileView,
    find_file,
    open_file,
    request_file,
)
from app.services.result_documents.response_pages import response_document
from app.services.result_documents.test_sheets import issue_test_sheet
from app.services.result_documents.writing import write_file

__all__ = [
    "BATCH",
    "Document",
    "DocumentLanguage",
    "FoundResult",
    "ReadyFile",
    "ResultFileView",
    "build",
    "delete_expired",
    "find_file",
    "issue_certificate",
    "issue_exam_sheet",
    "issue_test_sheet",
    "look_up",
    "merit_document",
    "open_file",
    "pdf",
    "request_file",
    "response_document",
    "write_file",
]

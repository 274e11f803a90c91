"""Responses that are a PDF, and the parameter for its language."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import Query, Request, Response

from app.api.disconnects import while_connected
from app.services import result_documents
from app.services.components import Components
from app.services.result_documents import Document, DocumentLanguage
from app.services.users import Principal

PDF_CONTENT: dict[str, Any] = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
A_PDF: dict[int | str, dict[str, Any]] = {200: {"description": "The PDF", "content": PDF_CONTENT}}

Language = Annotated[
    DocumentLanguage, Query(description="English, Hindi, or both, of the fixed texts and titles")
]


async def pdf_response(
    request: Request, parts: Components, document: Document, caller: Principal, now: datetime
) -> Response:
    """The typeset document. If the client disconnects, the typesetting ends."""
    work = result_documents.pdf(parts.files, document, caller, now)
    content = await while_connected(request, work)
    headers = {
        "Cache-Control": "private, no-store",
        "Content-Disposition": f'inline; filename="{document.file_name}"',
    }
    return Response(content, media_type="application/pdf", headers=headers)

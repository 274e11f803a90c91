"""A document that is composed and not yet typeset."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from app.core.process_pool import ProcessPool
from app.sentences import Sentence
from app.services.printing import Template, typeset
from app.services.result_documents.characters import MUST_BE_WHOLE, check_printable
from app.services.users import Principal

_ADVICE = Sentence("Ask for CSV or XLSX, or for fewer candidates.")


@dataclass(frozen=True, slots=True)
class Document:
    """The content of a PDF, with its template."""

    template: Template
    content: object
    file_name: str
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Files that the template reads, such as those that it attaches."""


async def pdf(files: ProcessPool, document: Document, caller: Principal, now: datetime) -> bytes:
    """The document, typeset in a child process.

    Raises TooComplex, Unavailable, and NotPossible for characters that no font has.
    """
    if document.template in MUST_BE_WHOLE:
        await asyncio.to_thread(check_printable, document.content)
    arguments = (document.template, document.content, now, document.files)
    return await files.run(typeset, *arguments, caller=caller.id, advice=_ADVICE)

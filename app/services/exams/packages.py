"""Encrypted papers that candidates download before the start, so that not all download at the same minute."""

from datetime import datetime, timedelta
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from app.core.errors import NotAvailable, NotRegistered, PaperNotOpen
from app.models import ExamPaper
from app.services.components import Components
from app.services.exams.catalog import exam_viewer
from app.services.tests.papers import FrozenPaper
from app.services.unit_of_work import Reading
from app.services.users import Principal

AVAILABLE_BEFORE = timedelta(minutes=30)
LABEL = b"ias exam package v1"
KEY_BYTES, NONCE_BYTES = 32, 12


async def package(
    reads: Reading, parts: Components, user: Principal, exam_id: UUID, paper_id: UUID, now: datetime
) -> bytes:
    """Nonce, ciphertext and tag (AES-256-GCM) of the candidates' document, from 30 minutes before the start.

    Raises PaperNotOpen before, NotRegistered for a candidate without a place where one is needed.
    """
    exam, paper = await reads.exams.paper(exam_viewer(user), exam_id, paper_id)
    if exam.cancelled_at is not None or paper.paper_id is None:
        raise NotAvailable("There is nothing to download.")
    needs_place = not user.is_staff and exam.registration == "required"
    if needs_place and await reads.registrations.of(exam.id, user.id) is None:
        raise NotRegistered
    opens_at = paper.starts_at - AVAILABLE_BEFORE
    if now < opens_at:
        raise PaperNotOpen(paper.starts_at, opens_at, now)
    return sealed(parts, paper, await parts.papers.get(reads, paper.paper_id))


def sealed(parts: Components, paper: ExamPaper, frozen: FrozenPaper) -> bytes:
    """The encrypted document. It is always the same: each key encrypts one document, so the nonce is safe."""
    secret = _secret(parts, paper.id, frozen)
    key, nonce = secret[:KEY_BYTES], secret[KEY_BYTES:]
    return nonce + AESGCM(key).encrypt(nonce, frozen.document, None)


def package_key(parts: Components, exam_paper_id: UUID, frozen: FrozenPaper) -> bytes:
    """The key that decrypts the package. A candidate gets it with the start."""
    return _secret(parts, exam_paper_id, frozen)[:KEY_BYTES]


def _secret(parts: Components, exam_paper_id: UUID, frozen: FrozenPaper) -> bytes:
    """Key and nonce, derived for exactly this document, so that nothing must be stored."""
    derivation = HKDF(
        algorithm=SHA256(),
        length=KEY_BYTES + NONCE_BYTES,
        salt=None,
        info=b"/".join((LABEL, exam_paper_id.bytes, frozen.id.bytes, frozen.etag.encode())),
    )
    return derivation.derive(parts.settings.secret_key.get_secret_value().encode())

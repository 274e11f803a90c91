"""Who may place a test in an exam. Scores of one's own exam would reveal the key of another author's test."""

from uuid import UUID

from app.models import Exam, Role
from app.sentences import Sentence
from app.services.unit_of_work import Reading
from app.services.users import Principal

NOT_YOURS = (
    "The test is somebody else's. Its author or an admin can let you place it:"
    " PUT /v1/tests/{test_id}/consents/{user_id}."
)
HELD = Sentence(
    "Somebody else's exam has this test, or somebody else's published exam has questions of it. Place it"
    " after the release of that exam, or with the consent of the author of its test, or ask an admin."
)


async def refusal(reads: Reading, author: Principal, exam: Exam, test_id: UUID) -> str | None:
    """Why this author may not place the test in their exam; None if they may."""
    if not await may_place(reads, author, test_id):
        return Sentence(NOT_YOURS, test_id=test_id, user_id=author.id)
    if author.role is Role.ADMIN:
        return None
    held = await reads.placing.held_by_others(author.id, test_id, exam_id=exam.id)
    return HELD if held else None


async def may_place(reads: Reading, author: Principal, test_id: UUID) -> bool:
    """Whether the author owns the test or has its owner's consent. Admins may place every test."""
    return author.role is Role.ADMIN or await reads.placing.may_place(author.id, test_id)

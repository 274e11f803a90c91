"""The institute and its name, which is printed on certificates and other documents."""

from app.core.errors import Invalid
from app.core.names import checked_field
from app.models import Institute
from app.sentences import Sentence
from app.services import audit
from app.services.audit import AuditSubject
from app.services.printing import unprintable
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal

MAX_NAME_LENGTH = 120


async def find(reads: Reading, member: Principal) -> Institute:
    """The institute of a member."""
    return await reads.institutes.get(member.institute_id)


async def rename(uow: UnitOfWork, admin: Principal, name: str) -> Institute:
    """Give the institute a name. Documents that are made from now on have it.

    Raises Invalid for a name that cannot be printed.
    """
    name = checked_field("name", name, MAX_NAME_LENGTH)
    if characters := unprintable([name]):
        template = (
            'No font of the documents has the character "{character}" ({code}). Write the name without it.'
        )
        character = characters[0]
        raise Invalid.field("name", Sentence(template, character=character, code=f"U+{ord(character):04X}"))
    institute = await uow.institutes.lock(admin.institute_id)
    if institute.name != name:
        subject = AuditSubject("institute", institute.id)
        audit.record(uow, admin, "rename", subject, before=institute.name, after=name)
        institute.name = name
    return institute

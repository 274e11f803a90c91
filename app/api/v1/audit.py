"""The audit log over HTTP, for admins."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query

from app.api.deps import CurrentAdmin, Paging, ReadsWithLag
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid
from app.repositories.audit import AuditFilter
from app.schemas.audit import AuditLogEntryOut
from app.schemas.common import PageOut
from app.schemas.strict import Moment
from app.services import audit

router = PrefixRouter(prefix="/audit", tags=["audit"])

SUBJECT_KINDS = "|".join(audit.ACTIONS)
ACTIONS = ", ".join(f"`{name}`" for name in sorted(frozenset[str]().union(*audit.ACTIONS.values())))


def _wanted(
    actor: Annotated[UUID | None, Query(description="The id of the user who acted")] = None,
    action: Annotated[str | None, Query(max_length=50, description=f"One of {ACTIONS}")] = None,
    subject: Annotated[
        str | None,
        Query(
            pattern=rf"^({SUBJECT_KINDS})(:[0-9a-fA-F-]{{36}})?$",
            description="The kind of the object, or its kind and id: `question` or `question:<id>`",
        ),
    ] = None,
    since: Annotated[Moment | None, Query(alias="from", description="The earliest time, inclusive")] = None,
    until: Annotated[Moment | None, Query(alias="to", description="The latest time, exclusive")] = None,
) -> AuditFilter:
    kind, _, subject_id = (subject or "").partition(":")
    try:
        parsed_id = UUID(subject_id) if subject_id else None
    except ValueError:
        raise Invalid.field("subject", "Send a UUID after the colon.") from None
    return AuditFilter(actor, action, kind or None, parsed_id, since, until)


@router.get("", responses=problems(Forbidden, Invalid))
async def list_audit_log(
    admin: CurrentAdmin, reads: ReadsWithLag, paging: Paging, wanted: Annotated[AuditFilter, Depends(_wanted)]
) -> PageOut[AuditLogEntryOut]:
    """Actions of staff, newest first.

    The parameter `action` lists what is recorded: changes, and what was read or exported of keys, papers and
    results. Entries cannot be changed or deleted. Users are identified by id. `request_id` is that of the
    response and of the logs.
    """
    page = await audit.page(reads, admin, wanted, paging)
    items = [AuditLogEntryOut.of(entry) for entry in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)

"""Saved mappings of columns over HTTP, for staff who import sheets."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.api.deps import CurrentProctor, Paging, Reads, Uow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid
from app.models import MappedSheet
from app.schemas.column_mappings import ColumnMappingOut
from app.schemas.common import PageOut
from app.services import column_mappings

router = PrefixRouter(prefix="/column-mappings", tags=["questions"])


@router.get("", responses=problems(Forbidden, Invalid))
async def list_column_mappings(
    staff: CurrentProctor,
    reads: Reads,
    paging: Paging,
    kind: Annotated[MappedSheet | None, Query(description="Only mappings for sheets of this kind")] = None,
) -> PageOut[ColumnMappingOut]:
    """The mappings that imports have saved, oldest first.

    An import with `mapping` saves it for the headers of the sheet. An import without `mapping` uses the one
    that is saved for the same headers, and says so in `warnings`. A new mapping for these headers replaces
    the saved one.
    """
    page = await column_mappings.page(reads, staff, kind, paging)
    return PageOut(items=[ColumnMappingOut.of(each) for each in page.items], next_cursor=page.next_cursor)


@router.delete("/{mapping_id}", status_code=204, responses=problems(Forbidden))
async def delete_column_mapping(mapping_id: UUID, staff: CurrentProctor, uow: Uow) -> Response:
    """Delete a saved mapping: sheets with its headers need `mapping` again. No effect if there is none."""
    await column_mappings.delete(uow, staff, mapping_id)
    return Response(status_code=204)

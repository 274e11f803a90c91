"""The institute over HTTP."""

from app.api.deps import CurrentAdmin, CurrentUser, Reads, Uow
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.core.errors import Forbidden, Invalid
from app.schemas.institutes import InstituteChanges, InstituteOut
from app.services import institutes

router = PrefixRouter(prefix="/institute", tags=["users"])


@router.get("")
async def read_institute(user: CurrentUser, reads: Reads) -> InstituteOut:
    """Your institute."""
    return InstituteOut.model_validate(await institutes.find(reads, user))


@router.patch("", responses=problems(Forbidden, Invalid))
async def change_institute(body: InstituteChanges, admin: CurrentAdmin, uow: Uow) -> InstituteOut:
    """Change the name of the institute. Documents that are made from now on have it.

    Certificates, merit lists, result sheets and response sheets print the name. Until an institute has been
    named, its documents print none. A name with a character that no font has is a 422.
    """
    return InstituteOut.model_validate(await institutes.rename(uow, admin, body.name))

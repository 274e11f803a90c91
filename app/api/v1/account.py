"""One's own account: its deletion, the export of what is kept, and the avatar."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, File, Query, Request, Response, UploadFile, status
from starlette.responses import StreamingResponse

from app.api.deps import CurrentAdmin, CurrentUser, KnownEtag, Now, Parts, Reads, Uow, takes_nothing
from app.api.problems import problems
from app.api.routing import PrefixRouter
from app.api.v1.auth import client_address, limit_account
from app.core.errors import Conflict, Invalid, NotFound, TooLarge
from app.schemas.account import AccountDeletionOut, AccountExportOut, DeleteAccountIn
from app.schemas.users import MemberOut, ProfileOut
from app.services import account_deletion, account_exports, avatars
from app.services.account_deletion.deleting import hold_of
from app.services.unit_of_work import reading

router = PrefixRouter(prefix="/users", tags=["users"])

ZIP: dict[str, Any] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}
JPEG: dict[str, Any] = {avatars.CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}}


@router.delete("/account", status_code=status.HTTP_202_ACCEPTED, responses=problems(Conflict, Invalid))
async def delete_account(
    request: Request, body: DeleteAccountIn, user: CurrentUser, parts: Parts
) -> AccountDeletionOut:
    """Delete your account. It is hidden at once, and everything is purged after a legal hold.

    All sessions and attempt tokens end, devices get no more messages, and nobody can sign in. Running
    attempts are submitted with the answers that are saved. You leave the exams of which no paper has opened.
    Lists show a pseudonym instead of your name. Official results stay under this pseudonym, so that the ranks
    of others do not change. The address cannot be registered again until the purge.

    A wrong password is 422. The only administrator cannot be deleted (409).
    """
    await limit_account(request, parts, "password", user.email)
    password = body.password.get_secret_value()
    deletion = await account_deletion.delete(parts, user, password, client_address(request))
    return AccountDeletionOut.of(deletion, hold_of(parts.settings))


@router.post(
    "/{user_id}/restore", dependencies=[Depends(takes_nothing)], responses=problems(Conflict, NotFound)
)
async def restore_account(user_id: UUID, admin: CurrentAdmin, uow: Uow, now: Now) -> MemberOut:
    """Undo the deletion of an account during its legal hold.

    The person can sign in again. Attempts stay submitted, and exams that were left stay left.
    """
    return MemberOut.of(await account_deletion.restore(uow, admin, user_id), now)


@router.post("/export", status_code=status.HTTP_202_ACCEPTED, dependencies=[Depends(takes_nothing)])
async def request_export(user: CurrentUser, uow: Uow, now: Now) -> AccountExportOut:
    """Ask for a file with everything that is kept of you. It is made in the background.

    Ask for its status every few seconds. As long as an export is being made or waits for its download, this
    returns that one.
    """
    return AccountExportOut.of(await account_exports.request(uow, user, now))


@router.get("/exports/{export_id}", responses=problems(NotFound))
async def get_export(export_id: UUID, user: CurrentUser, reads: Reads, now: Now) -> AccountExportOut:
    """The status of your export. An export that is downloaded or a week old is 404."""
    return AccountExportOut.of(await account_exports.find(reads, user, export_id, now))


@router.get(
    "/exports/{export_id}/file",
    response_class=Response,
    responses={200: {"content": ZIP, "description": "A ZIP file"}, **problems(Conflict, NotFound)},
)
async def download_export(export_id: UUID, user: CurrentUser, parts: Parts, now: Now) -> Response:
    """The file of your export, once: a ZIP of JSON and CSV with a README.

    If the connection breaks, fetch it again within 15 minutes of the first try. After that it is deleted. 409
    while the export is being made.
    """
    file = await account_exports.open_file(parts, user, export_id, now)
    headers = {
        "Content-Length": str(file.size_bytes),
        "Content-Disposition": 'attachment; filename="ias-export.zip"',
    }
    return StreamingResponse(file.pieces, media_type="application/zip", headers=headers)


@router.put("/avatar", responses=problems(TooLarge, Invalid))
async def change_avatar(
    user: CurrentUser,
    parts: Parts,
    file: Annotated[UploadFile, File(description="PNG, JPEG or WebP, at most 5 MB and 40 million pixels")],
) -> ProfileOut:
    """Upload your picture. `avatar_url` of the profile is then its address.

    The format is detected from the content. The middle of the picture is kept as a square JPEG of 512 pixels,
    without metadata.
    """
    content = await file.read(avatars.MAX_BYTES + 1)
    return ProfileOut.model_validate(await avatars.change(parts, user, content))


@router.delete("/avatar", status_code=status.HTTP_204_NO_CONTENT)
async def remove_avatar(user: CurrentUser, parts: Parts) -> None:
    """Remove your picture. `avatar_url` of the profile is then null."""
    await avatars.remove(parts, user)


@router.get(
    "/{user_id}/avatar",
    response_class=Response,
    responses={
        200: {"content": JPEG, "description": "The picture"},
        304: {"description": "The client has the picture"},
        **problems(NotFound),
    },
)
async def get_avatar(
    user_id: UUID,
    user: CurrentUser,
    parts: Parts,
    v: Annotated[str | None, Query(max_length=64, description="Changes with each picture")] = None,
    if_none_match: KnownEtag = None,
) -> Response:
    """The picture of a person, for themselves and for staff. Use the address that `avatar_url` gives."""
    async with reading(parts.engine) as reads:
        avatar = await avatars.find(reads, user, user_id)
    etag = f'"{avatar.version}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
    if if_none_match is not None and etag in (tag.strip() for tag in if_none_match.split(",")):
        return Response(status_code=status.HTTP_304_NOT_MODIFIED, headers=headers)
    pieces = await avatars.read(parts, avatar)
    return StreamingResponse(pieces, media_type=avatars.CONTENT_TYPE, headers=headers)

"""The inbox, devices for push messages, preferences, and unsubscribing from mails."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query, Response
from fastapi.responses import HTMLResponse

from app.api.deps import CurrentUser, Now, Paging, Parts, Reads, Uow, takes_nothing
from app.api.problems import problems
from app.api.routing import PermissionFirstRoute
from app.core.errors import Invalid, NotFound
from app.schemas.common import PageOut
from app.schemas.notifications import (
    DeviceIn,
    DeviceOut,
    DeviceToken,
    NotificationOut,
    PreferencesIn,
    PreferencesOut,
    ReadOut,
)
from app.services import notifications

router = APIRouter(prefix="/notifications", tags=["notifications"], route_class=PermissionFirstRoute)
device_router = APIRouter(prefix="/devices", tags=["notifications"], route_class=PermissionFirstRoute)

PAGE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}

Token = Annotated[DeviceToken, Path(description="What Firebase calls the registration token")]
Signed = Annotated[str, Query(max_length=1000, description="As the link in the mail has it")]


@router.get("", responses=problems(Invalid))
async def list_notifications(
    user: CurrentUser, reads: Reads, paging: Paging, unread: bool | None = None
) -> PageOut[NotificationOut]:
    """Your inbox, the newest first; `unread=true` lists those that you have not read, `false` the others.

    Titles and bodies name no time: show those in `data` by the device's clock.
    """
    page = await notifications.page(reads, user, paging, unread=unread)
    items = [NotificationOut.model_validate(item) for item in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post("/{notification_id}/read", dependencies=[Depends(takes_nothing)], responses=problems(NotFound))
async def read_notification(notification_id: UUID, user: CurrentUser, uow: Uow, now: Now) -> NotificationOut:
    """You have seen it. Again is harmless, and the first time stands."""
    return NotificationOut.model_validate(await notifications.mark_read(uow, user, notification_id, now))


@router.post("/read-all", dependencies=[Depends(takes_nothing)])
async def read_all_notifications(user: CurrentUser, uow: Uow, now: Now) -> ReadOut:
    """You have seen all of them."""
    return ReadOut(read=await notifications.mark_all_read(uow, user, now))


@router.get("/preferences")
async def read_preferences(user: CurrentUser, reads: Reads) -> PreferencesOut:
    """What you are sent by mail and by push; at first everything, at any time."""
    return PreferencesOut.of(await notifications.wishes(reads, user))


@router.put("/preferences", responses=problems(Invalid))
async def change_preferences(body: PreferencesIn, user: CurrentUser, uow: Uow) -> PreferencesOut:
    """Change what you are sent. What you leave out stays as it is.

    In quiet hours nothing is sent that can wait: the reminder of the day before and results come after them.
    Mails about your account and your registrations cannot be turned off (422); their push messages can.
    """
    kinds = {kind: channels.given for kind, channels in body.kinds.items()}
    hours = None
    if "quiet_hours" in body.model_fields_set:
        hours = body.quiet_hours.times if body.quiet_hours else (None, None)
    return PreferencesOut.of(await notifications.change(uow, user, kinds, hours))


@router.get("/unsubscribe", response_class=HTMLResponse, responses=problems(Invalid))
async def show_unsubscribe(token: Signed, reads: Reads, parts: Parts) -> HTMLResponse:
    """The page behind the link in a mail. It changes nothing: its button posts to the same address."""
    return HTMLResponse(await notifications.unsubscribe_page(reads, parts, token), headers=PAGE)


@router.post("/unsubscribe", response_class=HTMLResponse, responses=problems(Invalid))
async def unsubscribe(token: Signed, uow: Uow, parts: Parts) -> HTMLResponse:
    """Send no more such mails, without signing in. Mail programs call this at one click (RFC 8058)."""
    return HTMLResponse(await notifications.unsubscribe(uow, parts, token), headers=PAGE)


@device_router.put("/{token}", responses=problems(Invalid))
async def register_device(token: Token, body: DeviceIn, user: CurrentUser, uow: Uow, now: Now) -> DeviceOut:
    """Send your push messages to this device. Call it at each start of the app, and when the token changes.

    A device is one person's: whoever registers it last gets its messages. The 20 seen last are kept.
    """
    device = await notifications.register_device(uow, user, token, body.platform, body.language, now)
    return DeviceOut.model_validate(device)


@device_router.delete("/{token}", status_code=204, responses=problems(NotFound))
async def remove_device(token: Token, user: CurrentUser, uow: Uow) -> Response:
    """Send nothing more to this device. Call it before signing out."""
    await notifications.remove_device(uow, user, token)
    return Response(status_code=204)

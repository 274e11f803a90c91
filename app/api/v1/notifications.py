"""The inbox, devices for push messages, preferences, and unsubscribing from mails."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response
from fastapi.responses import HTMLResponse

from app.api.deps import CurrentLogin, CurrentUser, Now, Paging, Parts, Reads, Uow, takes_nothing
from app.api.parameters import IGNORES_UNKNOWN_PARAMETERS
from app.api.problems import problems
from app.api.routing import PrefixRouter
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
from app.services.notifications import NewDevice

router = PrefixRouter(prefix="/notifications", tags=["notifications"])
device_router = PrefixRouter(prefix="/devices", tags=["notifications"])

PAGE = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"}

Token = Annotated[DeviceToken, Path(description="Firebase's registration token")]
Signed = Annotated[str, Query(max_length=1000, description="The token of the link in the mail")]


@router.get("", responses=problems(Invalid))
async def list_notifications(
    user: CurrentUser,
    reads: Reads,
    paging: Paging,
    unread: Annotated[bool | None, Query(description="Only unread ones, or only read ones")] = None,
) -> PageOut[NotificationOut]:
    """Your notifications, newest first. `unread=true` lists only unread ones, `false` only read ones.

    Titles and bodies contain no times. Show the times in `data` in the device's time zone.
    """
    page = await notifications.page(reads, user, paging, unread=unread)
    items = [NotificationOut.model_validate(item) for item in page.items]
    return PageOut(items=items, next_cursor=page.next_cursor)


@router.post("/{notification_id}/read", dependencies=[Depends(takes_nothing)], responses=problems(NotFound))
async def read_notification(notification_id: UUID, user: CurrentUser, uow: Uow, now: Now) -> NotificationOut:
    """Mark a notification as read. Idempotent: `read_at` keeps the first time."""
    return NotificationOut.model_validate(await notifications.mark_read(uow, user, notification_id, now))


@router.post("/read-all", dependencies=[Depends(takes_nothing)])
async def read_all_notifications(user: CurrentUser, uow: Uow, now: Now) -> ReadOut:
    """Mark all notifications as read."""
    return ReadOut(read=await notifications.mark_all_read(uow, user, now))


@router.get("/preferences")
async def read_preferences(user: CurrentUser, reads: Reads) -> PreferencesOut:
    """Which notifications you get by mail and push. By default everything, at any time."""
    return PreferencesOut.of(await notifications.read_preferences(reads, user))


@router.put("/preferences", responses=problems(Invalid))
async def change_preferences(body: PreferencesIn, user: CurrentUser, uow: Uow, now: Now) -> PreferencesOut:
    """Change the preferences. Fields that are left out do not change.

    Notifications that can wait are sent when the quiet hours end: the reminder of the day before, results,
    corrected and published keys, and decided objections. A change of the quiet hours, or of the time zone of
    the profile, also applies to notifications that are waiting. By mail, only reminders, results and news of
    keys can be turned off (422 for the others); push messages of every kind can.
    """
    kinds = {kind: channels.given for kind, channels in body.kinds.items()}
    hours = None
    if "quiet_hours" in body.model_fields_set:
        hours = body.quiet_hours.times if body.quiet_hours else (None, None)
    return PreferencesOut.of(await notifications.change(uow, user, kinds, hours, now))


@router.get(
    "/unsubscribe",
    response_class=HTMLResponse,
    dependencies=[IGNORES_UNKNOWN_PARAMETERS],
    responses=problems(Invalid),
)
async def show_unsubscribe(token: Signed, reads: Reads, parts: Parts) -> HTMLResponse:
    """The page of the link in a mail. It changes nothing: its button sends a POST to the same URL."""
    return HTMLResponse(await notifications.unsubscribe_page(reads, parts, token), headers=PAGE)


@router.post(
    "/unsubscribe",
    response_class=HTMLResponse,
    dependencies=[IGNORES_UNKNOWN_PARAMETERS],
    responses=problems(Invalid),
)
async def unsubscribe(token: Signed, uow: Uow, parts: Parts) -> HTMLResponse:
    """Unsubscribe without signing in. Mail programs call this for one-click unsubscription (RFC 8058)."""
    return HTMLResponse(await notifications.unsubscribe(uow, parts, token), headers=PAGE)


@device_router.put("/{token}", responses=problems(Invalid))
async def register_device(token: Token, body: DeviceIn, login: CurrentLogin, uow: Uow, now: Now) -> DeviceOut:
    """Register this device for push messages.

    Call it after each sign-in, at each start of the app and when the token changes. A device belongs to the
    session that registered it last, and is removed when that session is ended: by a logout, a new password, a
    ban or an administrator. A user has at most 20 devices; the oldest are removed.
    """
    new = NewDevice(token, body.platform, body.language)
    device = await notifications.register_device(uow, login.principal, login.signed_in_at, new, now)
    return DeviceOut.model_validate(device)


@device_router.delete("/{token}", status_code=204, responses=problems(NotFound))
async def remove_device(token: Token, user: CurrentUser, uow: Uow) -> Response:
    """Stop push messages to this device. Ending its session does the same."""
    await notifications.remove_device(uow, user, token)
    return Response(status_code=204)

"""Accounts and sessions."""

from typing import Annotated, Any

from fastapi import Body, Request

from app.api.deps import CurrentUser, Now, Parts, Reads, Uow
from app.api.problems import problems
from app.api.routing import Bearer, PrefixRouter
from app.core.errors import (
    EmailTaken,
    Invalid,
    InvalidCredentials,
    InvalidToken,
    SessionRevoked,
    TooManyRequests,
    Unauthenticated,
    WeakPassword,
)
from app.schemas.auth import (
    AccountIn,
    AccountOut,
    EmailIn,
    LoginIn,
    LogoutIn,
    RefreshIn,
    RegisteredOut,
    RegisterIn,
    ResetPasswordIn,
    SessionOut,
    TokenIn,
)
from app.services import auth
from app.services.auth import auth_mails
from app.services.components import Components

router = PrefixRouter(prefix="/auth", tags=["auth"])


@router.post("/register", status_code=201, responses=problems(EmailTaken, WeakPassword))
async def register(request: Request, body: RegisterIn, parts: Parts) -> RegisteredOut:
    """Create an account. The response has tokens, unless the address must be confirmed first."""
    await limit_account(request, parts, "register", body.email)
    password = body.password.get_secret_value()
    return RegisteredOut.of(
        await auth.register(parts, body.email, password, body.name, client_address(request))
    )


@router.post("/login", responses=problems(InvalidCredentials))
async def login(request: Request, body: LoginIn, parts: Parts) -> SessionOut:
    """Sign in. An unknown address, a wrong password and a banned account get the same response."""
    await limit_account(request, parts, "login", body.email)
    password = body.password.get_secret_value()
    return SessionOut.of(await auth.login(parts, body.email, password, client_address(request)))


@router.post("/refresh", responses=problems(InvalidToken))
async def refresh(request: Request, body: RefreshIn, parts: Parts) -> SessionOut:
    """Exchange a refresh token for the next pair of tokens.

    If the response is lost, send the same token again: the token before the active one returns the active one
    again. An older token does so for 10 s after it was exchanged. Used later, it ends the session (401).
    """
    return SessionOut.of(await auth.refresh(parts, body.refresh_token, client_address(request)))


@router.post("/logout", status_code=204, responses=problems(InvalidToken, SessionRevoked))
async def logout(
    user: CurrentUser,
    bearer: Bearer,
    parts: Parts,
    body: Annotated[LogoutIn | None, Body()] = None,
) -> None:
    """End this session (`local`), every session (`global`) or every other (`others`), at once."""
    await auth.logout(parts, user, _token(bearer), (body or LogoutIn()).scope)


@router.post("/forgot-password", status_code=202)
async def forgot_password(
    request: Request, body: EmailIn, parts: Parts, uow: Uow, now: Now
) -> dict[str, Any]:
    """Request a mail with a reset link. The response is the same whether or not there is such an account.

    The mail is sent after the response, at most one per minute.
    """
    if await _is_within_limits(request, parts, "forgot", body.email):
        auth_mails.request(uow, "recovery", body.email, client_address(request), now)
    return {}


@router.post("/reset-password", status_code=204, responses=problems(InvalidToken, WeakPassword))
async def reset_password(request: Request, body: ResetPasswordIn, parts: Parts) -> None:
    """Set a new password with the token of the mail, which is valid once.

    Ends every session of the account.
    """
    password = body.password.get_secret_value()
    await auth.reset_password(parts, body.token, password, client_address(request))


@router.post("/confirm", status_code=204, responses=problems(InvalidToken))
async def confirm(request: Request, body: TokenIn, parts: Parts) -> None:
    """Confirm an address with the token of the mail. Sign in afterwards."""
    await auth.confirm(parts, body.token, client_address(request))


@router.post("/resend", status_code=202)
async def resend(request: Request, body: EmailIn, parts: Parts, uow: Uow, now: Now) -> dict[str, Any]:
    """Request the confirmation mail again, at most once per minute. The response is always the same."""
    if await _is_within_limits(request, parts, "resend", body.email):
        auth_mails.request(uow, "signup", body.email, client_address(request), now)
    return {}


@router.get("/me", responses=problems(InvalidToken, SessionRevoked))
async def me(user: CurrentUser, reads: Reads) -> AccountOut:
    """The account that is signed in."""
    return AccountOut(id=user.id, email=user.email, name=user.name, role=user.role)


@router.put("/me", responses=problems(InvalidToken, SessionRevoked, WeakPassword, Invalid))
async def change_me(
    request: Request, body: AccountIn, user: CurrentUser, bearer: Bearer, parts: Parts
) -> AccountOut:
    """Change name or password. A new password needs `current_password` and ends all other sessions."""
    if body.password is not None:
        await limit_account(request, parts, "password", user.email)
    changes = auth.AccountChanges(
        name=body.name,
        password=body.password.get_secret_value() if body.password else None,
        current_password=body.current_password.get_secret_value() if body.current_password else None,
        client_address=client_address(request),
    )
    return AccountOut.of(await auth.change_account(parts, user, _token(bearer), changes))


async def limit_account(request: Request, parts: Components, action: str, email: str) -> None:
    """Count a request against the limits of logins: by account and address, and by address alone."""
    settings = parts.settings
    await parts.limiter.check_account(
        request.state,
        action,
        email,
        per_account=settings.login_limit_per_account,
        per_address=settings.login_limit_per_address,
    )


async def _is_within_limits(request: Request, parts: Components, action: str, email: str) -> bool:
    """For routes that always respond the same: above the limit no mail is sent."""
    try:
        await limit_account(request, parts, action, email)
    except TooManyRequests:
        return False
    return True


def client_address(request: Request) -> str | None:
    address = request.state.client_address
    return str(address) if address is not None else None


def _token(bearer: Bearer) -> str:
    if bearer is None:
        raise Unauthenticated
    return bearer.credentials

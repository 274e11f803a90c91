"""The HTTP application: routes, and errors in GoTrue's format."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from devservers.auth import errors, wire
from devservers.auth.accounts import Accounts
from devservers.auth.admin import Admin
from devservers.auth.errors import ApiError, validation_failed
from devservers.auth.gateway import RequireKey, RequireServiceKey, required_bearer
from devservers.auth.mail import Mailer
from devservers.auth.mail_requests import MailRequests
from devservers.auth.passwords import Passwords
from devservers.auth.settings import Settings
from devservers.auth.store import Database
from devservers.auth.tokens import AccessTokens, RefreshTokens, new_signing_key

log = logging.getLogger(__name__)

_PREFIX = "/auth/v1"
_DATABASE_AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,  # The server is shutting down or starting.
    asyncpg.InsufficientResourcesError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # Raised by asyncpg for an idle connection that the server has just closed.
    OSError,
    TimeoutError,
)


def create_app(settings: Settings) -> Starlette:
    """The application for these settings; it connects to the database at its start."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            database = await Database.open(settings.database_url)
            stack.push_async_callback(database.close)
            passwords, mailer = Passwords(), Mailer(settings)
            stack.callback(passwords.close)
            stack.push_async_callback(mailer.close)
            app.state.accounts = await _accounts(settings, database, passwords, mailer)
            app.state.admin = Admin(database, passwords)
            app.state.mail_requests = MailRequests(app.state.accounts)
            sending = asyncio.create_task(app.state.mail_requests.run())
            stack.push_async_callback(asyncio.wait, [sending])
            stack.callback(sending.cancel)
            yield

    return Starlette(
        routes=_routes(settings),
        exception_handlers={
            ApiError: _on_api_error,
            HTTPException: _on_http_error,
            asyncpg.DataError: _on_data_error,
            **dict.fromkeys(_DATABASE_AWAY, _on_database_away),
            Exception: _on_bug,
        },
        lifespan=lifespan,
    )


async def _accounts(settings: Settings, database: Database, passwords: Passwords, mailer: Mailer) -> Accounts:
    async with database.transaction() as store:
        pem = await store.secret("signing_key", new_signing_key)
        refresh_secret = await store.secret("refresh_tokens", lambda: secrets.token_bytes(32))
    return Accounts(
        database,
        passwords,
        AccessTokens(pem, settings.issuer, settings.access_token_seconds),
        RefreshTokens(refresh_secret),
        mailer,
        settings.confirm_email,
        timedelta(seconds=settings.refresh_reuse_seconds),
    )


def _accounts_of(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.accounts
    return accounts


def _admin_of(request: Request) -> Admin:
    admin: Admin = request.app.state.admin
    return admin


# Routes for everybody


async def health(request: Request) -> Response:
    return JSONResponse({"name": "GoTrue", "version": "embedded", "description": "Embedded auth server"})


async def jwks(request: Request) -> Response:
    headers = {"Cache-Control": "public, max-age=600"}
    return JSONResponse(_accounts_of(request).access_tokens.jwks(), headers=headers)


async def show_settings(request: Request) -> Response:
    return JSONResponse(
        {
            "external": {"email": True, "phone": False, "anonymous_users": False},
            "disable_signup": False,
            "mailer_autoconfirm": not _accounts_of(request).confirm_email,
            "phone_autoconfirm": False,
        }
    )


async def signup(request: Request) -> Response:
    body = await wire.read_body(request)
    return JSONResponse(
        await _accounts_of(request).sign_up(
            wire.email(body),
            wire.text(body, "password") or "",
            wire.metadata(body, "data"),
            request.query_params.get("redirect_to"),
        )
    )


async def token(request: Request) -> Response:
    body = await wire.read_body(request)
    grant = request.query_params.get("grant_type")
    if grant == "password":
        answer = await _accounts_of(request).sign_in(wire.email(body), wire.text(body, "password") or "")
    elif grant == "refresh_token":
        refresh_token = wire.text(body, "refresh_token")
        if not refresh_token:
            raise validation_failed("refresh_token required")
        answer = await _accounts_of(request).refresh(refresh_token)
    else:
        raise validation_failed("unsupported_grant_type")
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def recover(request: Request) -> Response:
    email = wire.email(await wire.read_body(request))
    await _accounts_of(request).request_mail("recovery", email, request.query_params.get("redirect_to"))
    return JSONResponse({})


async def resend(request: Request) -> Response:
    body = await wire.read_body(request)
    if wire.text(body, "type") != "signup":
        raise validation_failed("Only mails of type signup can be sent again")
    redirect_to = request.query_params.get("redirect_to")
    await _accounts_of(request).request_mail("signup", wire.email(body), redirect_to)
    return JSONResponse({})


async def verify(request: Request) -> Response:
    """`token_hash`, or `token` with the address; both are the token of the mail."""
    body = await wire.read_body(request)
    token_hash, one_time = wire.text(body, "token_hash"), wire.text(body, "token")
    if not (token_hash or one_time):
        raise validation_failed("Verify requires a token or a token hash")
    email = None if token_hash else wire.email(body)
    answer = await _accounts_of(request).verify(
        wire.text(body, "type") or "", token_hash or one_time or "", email
    )
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


# Routes for a signed-in user


async def logout(request: Request) -> Response:
    _, bearer = await _accounts_of(request).authenticate(required_bearer(request.headers))
    await _accounts_of(request).sign_out(bearer, request.query_params.get("scope") or "global")
    return Response(status_code=204)


async def get_user(request: Request) -> Response:
    user, _ = await _accounts_of(request).authenticate(required_bearer(request.headers))
    return JSONResponse(wire.user_json(user))


async def put_user(request: Request) -> Response:
    accounts = _accounts_of(request)
    user, bearer = await accounts.authenticate(required_bearer(request.headers))
    return JSONResponse(await accounts.update(user, bearer, await wire.read_body(request)))


# Routes for the service key


async def list_users(request: Request) -> Response:
    page, per_page = _number(request, "page", 1), _number(request, "per_page", 50)
    users, total = await _admin_of(request).list(
        page=page, per_page=min(per_page, 1000), part=request.query_params.get("filter") or ""
    )
    return JSONResponse(users, headers={"X-Total-Count": str(total)})


def _number(request: Request, name: str, default: int) -> int:
    value = request.query_params.get(name) or str(default)
    if not (value.isdecimal() and 0 < int(value) < 1_000_000):
        raise validation_failed(f"{name} must be a positive number")
    return int(value)


async def create_user(request: Request) -> Response:
    return JSONResponse(await _admin_of(request).create(await wire.read_body(request)))


async def generate_link(request: Request) -> Response:
    answer = await _admin_of(request).generate_link(await wire.read_body(request))
    return JSONResponse(answer, headers={"Cache-Control": "no-store"})


async def one_user(request: Request) -> Response:
    admin, user_id = _admin_of(request), wire.identifier(request.path_params["user_id"])
    if request.method == "PUT":
        return JSONResponse(await admin.update(user_id, await wire.read_body(request)))
    if request.method == "DELETE":
        return JSONResponse(await admin.delete(user_id, await wire.read_body(request)))
    return JSONResponse(await admin.get(user_id))


def _routes(settings: Settings) -> list[BaseRoute]:
    holders_of_a_key = Middleware(RequireKey, (settings.anon_key, settings.service_key))
    administrators = Middleware(RequireServiceKey, settings.service_key)
    administration = [
        Route("/users", list_users, methods=["GET"]),
        Route("/users", create_user, methods=["POST"]),
        Route("/generate_link", generate_link, methods=["POST"]),
        Route("/users/{user_id}", one_user, methods=["GET", "PUT", "DELETE"]),
    ]
    with_a_key = [
        Route("/settings", show_settings),
        Route("/signup", signup, methods=["POST"]),
        Route("/token", token, methods=["POST"]),
        Route("/recover", recover, methods=["POST"]),
        Route("/resend", resend, methods=["POST"]),
        Route("/verify", verify, methods=["POST"]),
        Route("/logout", logout, methods=["POST"]),
        Route("/user", get_user, methods=["GET"]),
        Route("/user", put_user, methods=["PUT"]),
        Mount("/admin", routes=administration, middleware=[administrators]),
    ]
    return [
        Route(f"{_PREFIX}/health", health),
        Route(f"{_PREFIX}/.well-known/jwks.json", jwks),
        Mount(_PREFIX, routes=with_a_key, middleware=[holders_of_a_key]),
    ]


# Errors


async def _on_api_error(request: Request, error: Any) -> Response:
    return errors.render(error, request.headers)


async def _on_http_error(request: Request, error: Any) -> Response:
    code = "not_found" if error.status_code == 404 else "validation_failed"
    return errors.render(ApiError(error.status_code, code, error.detail), request.headers)


async def _on_data_error(request: Request, error: Any) -> Response:
    """Respond to a value that PostgreSQL cannot store, such as a text with a null character."""
    return errors.render(
        validation_failed("The request holds a value that cannot be stored"), request.headers
    )


async def _on_database_away(request: Request, error: Any) -> Response:
    log.error("the database does not answer: %s", error)
    return errors.render(ApiError(503, "unexpected_failure", "The database does not answer"), request.headers)


async def _on_bug(request: Request, error: Any) -> Response:
    return errors.render(
        ApiError(500, "unexpected_failure", "Unexpected failure, please check server logs"), request.headers
    )

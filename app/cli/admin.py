"""`ias admin`: accounts of staff, made by the operator of the installation."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.services.components import Components

RoleName = Literal["student", "author", "evaluator", "proctor", "admin"]

admin = typer.Typer(no_args_is_help=True)


@admin.callback()
def group() -> None:
    """Accounts of staff."""


@admin.command()
def create(
    email: Annotated[str, typer.Option(help="E-mail address.")],
    password: Annotated[
        str | None,
        typer.Option(help="Password of the account. Without it the command asks for it, or reads one line."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the person.")] = "",
    role: Annotated[RoleName, typer.Option(help="Role of the account.")] = "admin",
) -> None:
    """Make an account with a role. An existing account with this password gets the role."""
    _run(_create(email, _asked_password() if password is None else password, name, role))


def _asked_password() -> str:
    """The password that is typed twice at a terminal, or the line that a program writes."""
    if sys.stdin is not None and sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    line = sys.stdin.readline().rstrip("\r\n") if sys.stdin is not None else ""
    if not line:
        raise typer.BadParameter("There is no terminal to ask for it.", param_hint="--password")
    return line


@admin.command("list")
def list_staff() -> None:
    """List the accounts of staff: role, address, name, and whether they are banned."""
    _run(_list())


@admin.command("reset-password")
def reset_password(email: Annotated[str, typer.Option(help="E-mail address of any account.")]) -> None:
    """Print a link that sets a new password once, and end all sessions of the account.

    Give the link to its person alone. It works for about an hour; the password of before works until then.
    """
    _run(_reset_password(email))


def _run(work: Coroutine[Any, Any, str]) -> None:
    """Run a command and print its result, or the reason why it is refused."""
    from app.core.errors import DomainError  # noqa: PLC0415 -- slow to import

    with ensure_servers():
        try:
            typer.echo(asyncio.run(work))
        except DomainError as error:
            typer.echo(error.detail, err=True)
            raise SystemExit(1) from None


async def _list() -> str:
    from app.config import get_settings  # noqa: PLC0415
    from app.services import accounts  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-admin", pool_size=1) as parts,
        reading(parts.engine) as reads,
    ):
        members = await accounts.staff(reads)
    rows = [(m.role, m.user.email, m.user.name, "" if m.user.active else "banned") for m in members]
    return "\n".join("\t".join(row).rstrip() for row in rows) or "There are no accounts of staff."


async def _reset_password(email: str) -> str:
    from app.config import get_settings  # noqa: PLC0415
    from app.services import accounts, rosters  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-admin", pool_size=1) as parts:
        token = await accounts.reset_password(parts, email)
        return rosters.password_link(parts, token)


async def _create(email: str, password: str, name: str, role: RoleName) -> str:
    from app.config import get_settings  # noqa: PLC0415
    from app.core.errors import EmailTaken  # noqa: PLC0415
    from app.models import Role  # noqa: PLC0415
    from app.services import accounts  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-admin", pool_size=1) as parts:
        try:
            async with unit_of_work(parts.engine) as uow:
                await accounts.create(uow, parts, email, password, name, Role(role))
        except EmailTaken:
            await _promote(parts, email, password, role)
            return f"{email} had an account already; its role is {role} now, its password as before."
        return f"{email} is a new account with the role {role}."


async def _promote(parts: "Components", email: str, password: str, role: RoleName) -> None:
    from app.core.errors import InvalidCredentials  # noqa: PLC0415
    from app.models import Role  # noqa: PLC0415
    from app.services import accounts, auth  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415

    try:
        signed_in = await auth.login(parts, email, password, None)
    except InvalidCredentials:
        raise InvalidCredentials("The account exists with another password. Use that password.") from None
    await parts.auth.sign_out(signed_in.session.access_token)
    async with unit_of_work(parts.engine) as uow:
        await accounts.promote(uow, signed_in.member.user.id, Role(role), parts.clock.now())

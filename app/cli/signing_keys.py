"""`ias signing-keys`: the keys that sign receipts and response sheets."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.servers import ensure_servers

if TYPE_CHECKING:
    from app.models import SigningKey

signing_keys_app = typer.Typer(no_args_is_help=True)


@signing_keys_app.callback()
def group() -> None:
    """The keys that sign receipts of saves and response sheets."""


@signing_keys_app.command("list")
def list_keys(
    out: Annotated[
        Path | None, typer.Option(help="Write them to this file, for `ias verify --keys`.")
    ] = None,
) -> None:
    """Show the public keys, the newest first. The first one is made if there is none."""
    with ensure_servers():
        keys = asyncio.run(_list())
    if out is not None:
        out.write_text(json.dumps({"items": [_public(key) for key in keys]}, indent=2) + "\n")
        typer.echo(f"{out}: {len(keys)} written")
        return
    for key in keys:
        until = f"until {key.retired_at:%Y-%m-%d %H:%M}" if key.retired_at else "in use"
        typer.echo(f"{key.id}  from {key.created_at:%Y-%m-%d %H:%M} UTC, {until}")


@signing_keys_app.command()
def rotate(yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Make the next key and retire the others. What they have signed stays valid.

    The API signs with the new key within a minute.
    """
    if not yes and not typer.confirm("Make the next key? It cannot be undone."):
        raise typer.Exit(1)
    with ensure_servers():
        typer.echo(asyncio.run(_rotate()))


async def _list() -> "list[SigningKey]":
    from app.config import get_settings  # noqa: PLC0415 -- slow to import
    from app.services import signing_keys  # noqa: PLC0415
    from app.services.unit_of_work import reading  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with open_components(get_settings(), application_name="ias-signing-keys", pool_size=2) as parts:
        await parts.signers.signer_of_reading(parts.engine)
        async with reading(parts.engine) as reads:
            return list(await signing_keys.public_keys(reads))


async def _rotate() -> str:
    from app.config import get_settings  # noqa: PLC0415
    from app.services.unit_of_work import unit_of_work  # noqa: PLC0415
    from app.startup import open_components  # noqa: PLC0415

    async with (
        open_components(get_settings(), application_name="ias-signing-keys", pool_size=2) as parts,
        unit_of_work(parts.engine) as uow,
    ):
        return (await parts.signers.rotate(uow)).key_id


def _public(key: "SigningKey") -> dict[str, str | None]:
    """A key as `GET /v1/response-sheets/keys` shows it."""
    from app.core.signing import ALGORITHM, to_base64url  # noqa: PLC0415

    return {
        "id": key.id,
        "algorithm": ALGORITHM,
        "public_key": to_base64url(key.public_key),
        "from": key.created_at.isoformat(),
        "until": key.retired_at.isoformat() if key.retired_at else None,
    }

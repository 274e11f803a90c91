"""The servers of a command: those that the environment names, or those of the home folder."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

from dotenv import dotenv_values


@contextmanager
def ensure_servers(*, migrated: bool = True) -> Iterator[None]:
    """Use the servers of a running `ias up`, or start servers for the time of the block.

    If `DATABASE_URL` is set, the environment names the servers, and nothing is started.
    """
    if read_settings().get("DATABASE_URL"):
        yield
        return
    require_development_packages()
    from app.cli.local.servers import home_servers  # noqa: PLC0415 -- not in the wheel and the image
    from devservers.errors import ServerError  # noqa: PLC0415

    try:
        with home_servers(migrated=migrated) as environment, _set(environment):
            yield
    except ServerError as error:
        raise SystemExit(str(error)) from None


def require_development_packages() -> None:
    """End the command if `devservers` and `rehearsal` are not installed, as in the wheel and the image."""
    if find_spec("devservers") is None or find_spec("rehearsal") is None:
        raise SystemExit(
            "This installation has no development servers and no rehearsals; a checkout has them. Set "
            "DATABASE_URL, REDIS_URL and SUPABASE_URL to use servers of your own: see docs/deployment.md."
        )


def read_settings() -> dict[str, str]:
    """The variables of the environment and of `.env`, as the settings read them."""
    return {name: value for name, value in dotenv_values(".env").items() if value} | dict(os.environ)


@contextmanager
def _set(environment: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

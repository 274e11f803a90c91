"""`ias up`: run the whole installation on this machine."""

from app.cli.servers import require_development_packages


def up() -> None:
    """Run everything on this machine until Ctrl-C: PostgreSQL, Valkey, auth, worker and API.

    PORT, HOST and IAS_HOME are read from the environment. Each of DATABASE_URL, REDIS_URL and SUPABASE_URL
    names a server that is then not started.
    """
    require_development_packages()
    from app.cli.local import installation  # noqa: PLC0415 -- not in the wheel and the image

    installation.run()

"""`ias up`: everything on this machine with one command."""

from app.cli.servers import require_development_packages


def up() -> None:
    """Run everything on this machine until Ctrl-C: PostgreSQL, Valkey, auth, worker and API.

    PORT, HOST and IAS_HOME come from the environment; so do DATABASE_URL, REDIS_URL and SUPABASE_URL, each of
    which stands for a server that is then not started here.
    """
    require_development_packages()
    from app.cli.local import installation  # noqa: PLC0415 -- not in the wheel and the image

    installation.run()

"""Where a command finds its servers."""

import asyncio
import os

import asyncpg
import pytest
import redis

from app.cli.local.home import Home
from app.cli.local.programs import get
from app.cli.local.servers import Servers, refuse_in_production
from app.cli.servers import ensure_servers
from devservers.errors import ServerError
from devservers.files import hold
from devservers.network import LOOPBACK, port_is_free
from devservers.supervisor import Supervisor


async def table_exists(url: str, name: str) -> bool:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return await connection.fetchval("SELECT to_regclass($1) IS NOT NULL", name) is True
    finally:
        await connection.close()


class TestEnsureServers:
    def test_a_given_database_is_used(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere/ias")
        before = dict(os.environ)

        with ensure_servers():
            assert dict(os.environ) == before

        assert not home.folder.exists()

    def test_env_file_counts_as_environment(self, home: Home) -> None:
        (home.folder.parent / ".env").write_text("DATABASE_URL=postgresql://elsewhere/ias\n")

        with ensure_servers():
            assert "DATABASE_URL" not in os.environ

        assert not home.folder.exists()

    def test_servers_of_its_own_last_as_long_as_the_command(
        self, home: Home, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = dict(os.environ)

        with ensure_servers():
            given = dict(os.environ)
            told = capsys.readouterr()
            assert f"`ias up` is not running in {home.folder}." in told.err
            assert "creating a new database there" in told.err
            assert told.out == ""
            assert asyncio.run(table_exists(given["DATABASE_URL"], "ias.users"))
            assert get(f"{given['SUPABASE_URL']}/auth/v1/health")
            assert given["MEDIA_URL"] == home.media.as_uri()
            with redis.Redis.from_url(given["REDIS_URL"]) as connection:
                assert connection.ping()

        assert dict(os.environ) == before
        ports = [int(file.read_text()) for file in (home.folder / "ports").iterdir()]
        assert [port_is_free(LOOPBACK, port) for port in ports] == [True, True, True]

    @pytest.mark.parametrize("asked_for", ["", "false"])
    def test_none_is_started_in_production(
        self, home: Home, monkeypatch: pytest.MonkeyPatch, asked_for: str
    ) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        monkeypatch.setenv("ALLOW_EMBEDDED_SERVERS", asked_for)

        with pytest.raises(SystemExit, match=r"Set DATABASE_URL, REDIS_URL or REDIS_HOST"), ensure_servers():
            pytest.fail("There must be no servers.")

        assert not home.folder.exists()

    def test_in_production_only_what_is_missing_is_named(self) -> None:
        named = ("DATABASE_URL", "REDIS_HOST", "SUPABASE_URL", "SECRET_KEY", "SMTP_URL", "MEDIA_URL")
        production = dict.fromkeys(named, "given") | {"ENVIRONMENT": "production"}
        refuse_in_production(production)
        with pytest.raises(ServerError, match=r"Set SMTP_URL, MEDIA_URL;"):
            refuse_in_production({k: v for k, v in production.items() if k not in ("SMTP_URL", "MEDIA_URL")})
        refuse_in_production({"ENVIRONMENT": "production", "ALLOW_EMBEDDED_SERVERS": "True"})
        refuse_in_production({})

    def test_ias_up_is_refused_in_production(self, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("ENVIRONMENT", "production")
        with pytest.raises(ServerError, match="the embedded servers are not started"):
            Servers(home, Supervisor(print))

    def test_servers_that_cannot_start_end_the_command_with_a_sentence(self, home: Home) -> None:
        home.folder.touch()

        with pytest.raises(SystemExit, match="cannot be used: File exists"), ensure_servers():
            pytest.fail("There can be no servers.")

    def test_the_servers_of_a_running_ias_up_are_shared(self, home: Home) -> None:
        with hold(home.lock):
            home.write_run(
                {"database_url": "postgresql://shared/ias", "mail_folder": None, "api_url": "http://x"}
            )

            with ensure_servers():
                assert os.environ["DATABASE_URL"] == "postgresql://shared/ias"
                assert "MAIL_FOLDER" not in os.environ

        assert "DATABASE_URL" not in os.environ

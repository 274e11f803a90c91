"""What the wheel, the image and its containers hold, and which commands an installation from them has."""

import asyncio
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
import yaml
from sqlalchemy.engine import make_url

from tests.conftest import ROOT, administer
from tests.installation import FROM_OUTSIDE
from tests.thorough import part, thorough_only

ONLY_IN_A_CHECKOUT = {"devservers", "rehearsal", "tests", "benchmarks"}
STAGE = re.compile(r"^FROM (?P<base>\S+)(?: AS (?P<name>\S+))?$", re.MULTILINE)
COPY = re.compile(r"^COPY (?:--from=\S+ )?(?P<paths>.+)$", re.MULTILINE)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an unpacked wheel, built from this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder / "dist"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (archive,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder / "unpacked")
    return folder / "unpacked"


def ias(
    wheel: Path, folder: Path, *arguments: str, database_url: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of the wheel in a folder. `-S` hides the checkout, which is installed as editable."""
    environment = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
    environment |= {"PYTHONPATH": os.pathsep.join([str(wheel), sysconfig.get_path("purelib")])}
    if database_url is not None:
        environment |= {"DATABASE_URL": database_url, "DATABASE_SSL": "off"}
    return subprocess.run(
        [sys.executable, "-S", "-m", "app.cli", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def empty_database_url(superuser_url: str) -> Iterator[str]:
    """A database without any table of ours."""
    name, owner = f"empty_{uuid4().hex[:12]}", f"owner_{uuid4().hex[:12]}"
    asyncio.run(
        administer(
            superuser_url,
            f"create role {owner} login password 'owner'",
            f"create database {name} owner {owner}",
        )
    )
    url = make_url(superuser_url).set(database=name, username=owner, password="owner")
    yield url.render_as_string(hide_password=False)
    asyncio.run(administer(superuser_url, f"drop database {name} with (force)", f"drop role {owner}"))


class TestWheel:
    def test_it_holds_the_application_and_its_migrations(self, wheel: Path) -> None:
        assert {path.name for path in wheel.iterdir() if not path.name.endswith(".dist-info")} == {"app"}
        migrations = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
        assert {path.name for path in (wheel / "app/migrations/versions").glob("*.py")} == migrations

    @pytest.mark.parametrize(
        "arguments", part([("--help",), ("serve", "--help"), ("worker", "--help")], "commands", 3)
    )
    def test_commands_are_there(self, wheel: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
        result = ias(wheel, tmp_path, *arguments)

        assert result.returncode == 0, result.stderr
        assert "Usage" in result.stdout

    @pytest.mark.parametrize(
        "arguments",
        part([("up",), ("demo", "exam"), ("demo", "test"), ("migrate",), ("serve",)], "commands", 3),
    )
    def test_what_needs_development_servers_says_so(
        self, wheel: Path, tmp_path: Path, arguments: tuple[str, ...]
    ) -> None:
        result = ias(wheel, tmp_path, *arguments)

        assert result.returncode == 1
        assert result.stderr.startswith("This installation has no development servers and no rehearsals")
        assert "Traceback" not in result.stderr

    @thorough_only
    def test_it_migrates_a_database(self, wheel: Path, tmp_path: Path, empty_database_url: str) -> None:
        result = ias(wheel, tmp_path, "migrate", database_url=empty_database_url)

        assert result.returncode == 0, result.stderr
        assert asyncio.run(institutes(empty_database_url)) == 1


async def institutes(url: str) -> int:
    connection = await asyncpg.connect(url, ssl=False)
    try:
        return int(await connection.fetchval("select count(*) from ias.institutes"))
    finally:
        await connection.close()


class TestImage:
    def test_only_the_development_stage_has_development_packages(self) -> None:
        assert {name for name, copied in stages().items() if copied & ONLY_IN_A_CHECKOUT} == {"development"}

    def test_the_last_stage_is_the_product(self) -> None:
        text = (ROOT / "docker/Dockerfile").read_text()

        last = list(STAGE.finditer(text))[-1]
        assert last["base"] == "product"
        assert text[last.end() :].strip() == ""
        assert stages()["product"] >= {"app", "migrations"}

    def test_the_build_context_holds_what_is_copied_and_nothing_else(self) -> None:
        """Docker reads the file beside the Dockerfile, which excludes all files but those that are named."""
        lines = (ROOT / "docker/Dockerfile.dockerignore").read_text().splitlines()
        rules = [line for line in lines if line and not line.startswith("#")]

        copied = set().union(*stages().values())
        assert rules[0] == "*"
        assert {line.removeprefix("!") for line in rules if line.startswith("!")} == copied
        assert not copied & (ONLY_IN_A_CHECKOUT - {"devservers"})


class TestProductionContainers:
    """docker/docker-compose.prod.yml. Compose was not run here: this reads the file as it documents it."""

    FIXED = frozenset(
        {
            *("ENVIRONMENT", "ALLOW_EMBEDDED_SERVERS", "HOST", "PORT", "TRUSTED_PROXIES"),
            *("DATABASE_CA_FILE", "REDIS_URL", "MIGRATION_DATABASE_URL"),
        }
    )

    @pytest.mark.parametrize(
        ("name", "fixed"),
        [
            ("api", FIXED),
            ("worker", FIXED | {"WORKER_METRICS_HOST", "WORKER_METRICS_PORT"}),
            ("migrate", FIXED | {"DATABASE_URL"}),
        ],
    )
    def test_every_setting_reaches_the_application(self, name: str, fixed: frozenset[str]) -> None:
        settings = re.findall(r"^#([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
        written = {**dict.fromkeys(settings, "written"), "MIGRATION_DATABASE_URL": "another"}
        reached = environment_of(services()[name], written)
        assert {setting for setting, value in reached.items() if value != "written"} == fixed

    def test_nginx_follows_the_address_of_the_api(self) -> None:
        """An update gives it another one. `resolve` needs a zone, a name server and nginx 1.27.3."""
        configuration = (ROOT / "docker/nginx.conf").read_text()
        upstream = re.search(r"upstream api \{(.*?)\}", configuration, re.DOTALL)
        assert upstream is not None
        assert "server api:8000 resolve;" in upstream[1]
        assert "zone api " in upstream[1]
        assert "resolver 127.0.0.11 valid=" in configuration
        version = re.fullmatch(r"nginx:(\d+)\.(\d+)-alpine", services()["nginx"]["image"])
        assert version is not None
        assert (int(version[1]), int(version[2])) >= (1, 28)

    def test_no_secret_reaches_another_container(self) -> None:
        others = {name: each for name, each in services().items() if name not in ("api", "worker", "migrate")}
        assert set(others) == {"redis", "nginx"}
        assert all(not {"env_file", "environment"} & set(each) for each in others.values())


def services() -> dict[str, Any]:
    """The services of production."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "docker/docker-compose.prod.yml").read_text())["services"]
    return found


def environment_of(service: dict[str, Any], written: dict[str, str]) -> dict[str, str]:
    """The environment of a container if `.env` has these variables."""
    path = (ROOT / "docker" / service["env_file"]).resolve()
    assert path == (ROOT / ".env").resolve()
    own = {name: _interpolated(value, written) for name, value in service["environment"].items()}
    return written | own


def _interpolated(value: str, written: dict[str, str]) -> str:
    named = re.match(r"\$\{([A-Z_]+)", value)
    return written[named[1]] if named else value


def stages() -> dict[str, set[str]]:
    """What each stage of the Dockerfile copies from the checkout, by the stage's name."""
    text = (ROOT / "docker/Dockerfile").read_text()
    found = list(STAGE.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    return {
        each["name"] or "": _copied(text[each.end() : end]) for each, end in zip(found, ends, strict=True)
    }


def _copied(text: str) -> set[str]:
    """The sources of COPY instructions that take files from the checkout."""
    lines = [match for match in COPY.finditer(text) if "--from=" not in match[0]]
    return {path for match in lines for path in match["paths"].split()[:-1]}

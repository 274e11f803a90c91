"""A real PgBouncer in transaction mode, from the system's packages, in front of a database of the tests."""

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from devservers.binaries import make_server_folder, server_account
from devservers.network import LOOPBACK, free_port
from devservers.processes import Child
from tests.waiting import PATIENCE

SERVER_CONNECTIONS = 3
"""Fewer than the clients have, so that a transaction often runs on another connection than the one before."""

_CONFIGURATION = """\
[databases]
{database} = host={host} port={server_port} dbname={database}

[pgbouncer]
listen_addr = {loopback}
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = users.txt
pool_mode = transaction
default_pool_size = {server_connections}
max_client_conn = 200
"""


@contextmanager
def pooled(database_url: str, folder: Path) -> Iterator[str]:
    """The address of a pooler for the database. Skips the test if the program is not installed."""
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        pytest.skip("PgBouncer is not installed (apt install pgbouncer)")
    url, port, account = make_url(database_url), free_port(), server_account()
    data = folder / "pgbouncer"
    make_server_folder(data, account)
    files = {
        "pgbouncer.ini": _CONFIGURATION.format(
            database=url.database,
            host=url.query.get("host", url.host),
            server_port=url.query.get("port", url.port),
            loopback=LOOPBACK,
            port=port,
            server_connections=SERVER_CONNECTIONS,
        ),
        "users.txt": f'"{url.username}" "{url.password}"\n',
    }
    for name, content in files.items():
        (data / name).write_text(content)
        if account:
            account.own(data / name)
    child = Child(
        "PgBouncer",
        [program, "pgbouncer.ini"],
        log=folder / "pgbouncer.log",
        pid_file=folder / "pgbouncer.json",
        environment={"PATH": "/usr/bin:/bin"},
        folder=data,
        account=account,
    )
    child.start()
    try:
        child.wait_until(lambda: _listens(port), timeout=PATIENCE)
        yield url.set(host=LOOPBACK, port=port, query={}).render_as_string(hide_password=False)
    finally:
        child.stop()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0

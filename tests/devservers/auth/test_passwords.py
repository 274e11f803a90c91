"""Hashes of passwords. The servers of other tests hash with less work."""

import argon2
import pytest

from devservers.auth.passwords import Passwords

pytestmark = pytest.mark.anyio


async def test_they_have_owasps_parameters() -> None:
    """Its cheat sheet on password storage asks for at least 19 MiB and two passes of argon2id."""
    passwords = Passwords()
    found = argon2.extract_parameters(await passwords.hash("testpassword"))
    assert (found.type, found.memory_cost, found.time_cost, found.parallelism) == (
        argon2.Type.ID,
        19 * 1024,
        2,
        1,
    )
    passwords.close()

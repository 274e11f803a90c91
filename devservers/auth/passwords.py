"""Password hashes: argon2id with OWASP's parameters, in as many threads as there are cores."""

import asyncio
import os
import secrets
from concurrent.futures import ThreadPoolExecutor

import argon2

from devservers.auth.errors import validation_failed, weak_password

_MIN_BYTES = 6
_MAX_BYTES = 72

PASSES, KIBIBYTES = 2, 19 * 1024


def check_strength(password: str) -> None:
    """GoTrue's limits. They count bytes; a Devanagari letter has three."""
    size = len(password.encode())
    if size > _MAX_BYTES:
        raise validation_failed(f"Password cannot be longer than {_MAX_BYTES} bytes")
    if size < _MIN_BYTES:
        raise weak_password(f"Password should be at least {_MIN_BYTES} characters.", "length")


def check_hash(password_hash: str) -> str:
    """The hash, if it can be verified here, for accounts of another server. Raises otherwise."""
    try:
        kind = argon2.extract_parameters(password_hash).type
    except argon2.exceptions.InvalidHashError:
        kind = None
    if kind is not argon2.Type.ID:
        raise validation_failed("password_hash must be an argon2id hash")
    return password_hash


class Passwords:
    """Hashes and verifies passwords. The thread pool is the limit: each hash needs a core and 19 MiB."""

    def __init__(self) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=PASSES, memory_cost=KIBIBYTES, parallelism=1)
        self._threads = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="argon2")
        self._nobody = self._hasher.hash(secrets.token_urlsafe())

    async def hash(self, password: str) -> str:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hasher.hash, password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """Verify a password. Without a hash the same work is done and the answer is False."""
        loop = asyncio.get_running_loop()
        matches = await loop.run_in_executor(
            self._threads, self._verify, password_hash or self._nobody, password
        )
        return matches and password_hash is not None

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except argon2.exceptions.VerificationError:
            return False

    def close(self) -> None:
        self._threads.shutdown()

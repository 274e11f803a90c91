"""A member of staff: `ias admin create` makes the account, and everything else goes over the API."""

import asyncio
import os
import sys
from random import Random
from typing import Any, Literal

from rehearsal.account import PASSWORD, Account
from rehearsal.client import ApiResponse, Client, Metrics, UnexpectedResponse

Role = Literal["author", "proctor"]


class Staff:
    """One member of staff with one client."""

    role: Role = "author"

    def __init__(self, api_url: str, label: str, metrics: Metrics | None = None) -> None:
        self.label = label
        rng = Random(0)  # noqa: S311 -- it decides only how long to wait
        self.client = Client(api_url, metrics or Metrics(), rng)
        self.account = Account(f"rehearsal-{label}-{self.role}@example.org", f"Rehearsal {self.role}")

    async def make_account(self) -> None:
        """Make the account and sign in. The servers' addresses must be in the environment."""
        await _create_account(self.account, self.role)
        await self.account.sign_in(self.client)

    @property
    def token(self) -> str:
        return self.account.token

    async def ask(self, method: str, path: str, *statuses: int, **request: Any) -> ApiResponse:
        """Send a request until it is answered with one of `statuses`, by default 200 and 201."""
        return await self.client.call(
            self.role, method, path, self.token, *(statuses or (200, 201)), **request
        )

    async def close(self) -> None:
        """Close the connections."""
        await self.client.__aexit__()


async def _create_account(account: Account, role: Role) -> None:
    """Run `ias admin create` as an operator does. Raises UnexpectedResponse if it fails."""
    options = ("--email", account.email, "--password", PASSWORD, "--name", account.name, "--role", role)
    # With `-P`, no module in the working directory is imported instead of ours.
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "app.cli", "admin", "create", *options),
        env=os.environ.copy(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise UnexpectedResponse(f"ias admin create: {output.decode(errors='replace')[-300:]}")

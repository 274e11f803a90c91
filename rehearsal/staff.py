"""Somebody with a role: the account is made as an operator makes one, all else as an app does it."""

from random import Random
from typing import Any

from app.config import get_settings
from app.models import Role
from app.services import accounts
from app.services.unit_of_work import unit_of_work
from app.startup import open_components
from rehearsal.account import PASSWORD, Account
from rehearsal.client import Answer, Client, Tally


class Staff:
    """One member of staff, at one desk."""

    role = Role.AUTHOR

    def __init__(self, api_url: str, label: str, tally: Tally | None = None) -> None:
        self.label = label
        rng = Random(0)  # noqa: S311 -- it only decides how long to wait
        self.client = Client(api_url, tally or Tally(), rng)
        self.account = Account(f"rehearsal-{label}-{self.role}@example.org", f"Rehearsal {self.role}")

    async def make_account(self) -> None:
        """Make the account and sign in. Needs the servers' addresses in the environment."""
        async with (
            open_components(get_settings(), application_name="ias-demo", pool_size=1) as parts,
            unit_of_work(parts.engine) as uow,
        ):
            await accounts.create(uow, parts, self.account.email, PASSWORD, self.account.name, self.role)
        await self.account.sign_in(self.client)

    @property
    def token(self) -> str:
        return self.account.token

    async def ask(self, method: str, path: str, *statuses: int, **request: Any) -> Answer:
        """One request, until there is an answer; 200 and 201 are what is hoped for."""
        return await self.client.call(
            self.role, method, path, self.token, *(statuses or (200, 201)), **request
        )

    async def leave(self) -> None:
        """Close the connections."""
        await self.client.__aexit__()

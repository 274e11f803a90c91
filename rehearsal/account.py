"""An account that is made over the API and can have a session on each of several devices."""

from dataclasses import dataclass

from rehearsal.client import Client

PASSWORD = "testpassword"  # noqa: S105 -- of accounts for one rehearsal


@dataclass
class Account:
    """`token` is the access token of the newest session."""

    email: str
    name: str
    token: str = ""

    async def register(self, client: Client) -> None:
        """Make the account. If it exists because a response was lost, sign in."""
        body = {"email": self.email, "password": PASSWORD, "name": self.name}
        answer = await client.call("register", "POST", "/auth/register", None, 201, 409, json=body)
        if answer.status == 409:
            await self.sign_in(client)
        else:
            self.token = answer.body["access_token"]

    async def sign_in(self, client: Client) -> None:
        """Begin a new session, as another device does."""
        body = {"email": self.email, "password": PASSWORD}
        answer = await client.call("login", "POST", "/auth/login", None, 200, json=body)
        self.token = answer.body["access_token"]

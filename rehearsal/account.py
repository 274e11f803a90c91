"""A candidate's account: made over the API, and signed in to from as many devices as they like."""

from dataclasses import dataclass

from rehearsal.client import Client

PASSWORD = "testpassword"  # noqa: S105 -- of accounts that take one rehearsal and nothing else


@dataclass
class Account:
    """`token` is the access token of the newest session."""

    email: str
    name: str
    token: str = ""

    async def register(self, client: Client) -> None:
        """Make the account; if the answer was lost, sign in to it."""
        body = {"email": self.email, "password": PASSWORD, "name": self.name}
        answer = await client.call("register", "POST", "/auth/register", None, 201, 409, json=body)
        if answer.status == 409:
            await self.sign_in(client)
        else:
            self.token = answer.body["access_token"]

    async def sign_in(self, client: Client) -> None:
        """Begin another session, as another device does."""
        body = {"email": self.email, "password": PASSWORD}
        answer = await client.call("login", "POST", "/auth/login", None, 200, json=body)
        self.token = answer.body["access_token"]

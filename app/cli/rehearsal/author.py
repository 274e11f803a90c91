"""The author's side: an account, a sheet of questions, and the published test, all over the API."""

from collections.abc import Sequence
from random import Random
from typing import Any
from uuid import UUID

from app.cli.rehearsal.client import Client, Tally
from app.cli.rehearsal.questions import Question, sheet, test_body
from app.config import get_settings
from app.models import Role
from app.services import accounts
from app.services.components import open_components
from app.services.unit_of_work import unit_of_work

_PASSWORD = "testpassword"  # noqa: S105 -- of an account that writes one rehearsal


class Author:
    """Somebody with the role; the account is made as an operator makes one, all else as an app does it."""

    def __init__(self, api_url: str, label: str) -> None:
        self._api_url = api_url
        self._label = label
        self._email = f"rehearsal-{label}-author@example.org"

    async def make_account(self) -> None:
        """Needs the servers' addresses in the environment."""
        async with (
            open_components(get_settings(), application_name="ias-demo", pool_size=1) as parts,
            unit_of_work(parts.engine) as uow,
        ):
            await accounts.create(uow, parts, self._email, _PASSWORD, "Rehearsal author", Role.AUTHOR)

    async def publish(self, questions: Sequence[Question], seconds: int) -> tuple[UUID, list[UUID]]:
        """The id of the published test, and its questions' in the order given."""
        async with self._client() as client:
            token = await self._sign_in(client)
            form = {"subject": "Rehearsals"}
            file = {"file": ("questions.csv", sheet(questions, self._label))}
            await self._import(client, token, form, file)
            ids, subject_id = await self._imported(client, token, len(questions))
            body = test_body(questions, ids, self._label, seconds, subject_id)
            test = await client.call("author", "POST", "/tests", token, 201, json=body)
            test_id = test.body["id"]
            await client.call("author", "POST", f"/tests/{test_id}/publish", token, 200)
        return UUID(test_id), [UUID(id_) for id_ in ids]

    async def archive(self, test_id: UUID) -> None:
        """Take the test out of the candidates' lists."""
        async with self._client() as client:
            token = await self._sign_in(client)
            await client.call("author", "POST", f"/tests/{test_id}/archive", token, 200)

    def _client(self) -> Client:
        return Client(self._api_url, Tally(), Random(0))  # noqa: S311 -- it only decides how long to wait

    async def _sign_in(self, client: Client) -> str:
        credentials = {"email": self._email, "password": _PASSWORD}
        session = await client.call("author", "POST", "/auth/login", None, 200, json=credentials)
        return str(session.body["access_token"])

    async def _import(self, client: Client, token: str, form: dict[str, str], file: Any) -> None:
        # The key of a dropped question is the empty one.
        form = {**form, "empty_key": "dropped"}
        await client.call("author", "POST", "/questions/import", token, 200, data=form, files=file)

    async def _imported(self, client: Client, token: str, count: int) -> tuple[list[str], str]:
        """The ids of the questions in the order of the sheet, and their subject's."""
        found: dict[str, Any] = {}
        wanted: dict[str, Any] = {"tag": self._label, "limit": 100}
        while len(found) < count:
            page = await client.call("author", "GET", "/questions", token, 200, params=wanted)
            found |= {item["external_id"]: item for item in page.body["items"]}
            if page.body["next_cursor"] is None:
                break
            wanted["cursor"] = page.body["next_cursor"]
        items = [found[f"{self._label}-{number}"] for number in range(1, count + 1)]
        return [item["id"] for item in items], items[0]["subject_id"]

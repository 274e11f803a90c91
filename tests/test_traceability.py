"""docs/traceability.md is true of the application's routes and of the repository's files."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from app.config import Settings
from app.main import create_app
from app.services.realtime import SocketAddress
from tests.conftest import ROOT

PAGE = ROOT / "docs" / "traceability.md"
ROW = re.compile(r"^\| (`.+?`) \| ([\w ]+) \|", re.MULTILINE)
STATES = {"done", "done otherwise", "partly", "not yet"}
ENDPOINT = re.compile(r"(?:GET|POST|PUT|DELETE|WS) /.*")


@dataclass(frozen=True)
class Item:
    """Something that the first design names, and its state here."""

    name: str
    state: str


def items_of(text: str) -> list[Item]:
    return [
        Item(name, state) for names, state in ROW.findall(text) for name in re.findall(r"`([^`]+)`", names)
    ]


def endpoints(items: list[Item]) -> list[Item]:
    return [item for item in items if ENDPOINT.fullmatch(item.name)]


def files(text: str) -> list[Item]:
    return items_of(text.partition("\n## Files\n")[2].partition("\n## ")[0])


def is_routed(app: FastAPI, endpoint: str) -> bool:
    """Whether the application has a route for such a request."""
    method, _, template = endpoint.partition(" ")
    path = "/v1" + re.sub(r"\{\w+\}", lambda _: str(uuid4()), template)
    if method == "WS":
        return SocketAddress.parse(path) is not None
    scope = {"type": "http", "method": method, "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


def wrong_endpoints(items: list[Item]) -> Iterator[str]:
    app = create_app(Settings(log_level="ERROR"))
    for item in endpoints(items):
        if is_routed(app, item.name) is (item.state == "not yet"):
            yield item.name


def wrong_files(items: list[Item]) -> Iterator[str]:
    for item in items:
        if (ROOT / item.name).exists() is not (item.state == "done"):
            yield item.name


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text()


class TestPage:
    def test_states_are_the_four_that_it_explains(self, page: str) -> None:
        assert {item.state for item in items_of(page)} == STATES

    def test_no_item_has_two_rows(self, page: str) -> None:
        names = [item.name for item in items_of(page)]
        assert sorted(names) == sorted(set(names))

    def test_an_endpoint_is_a_route_exactly_if_its_row_says_so(self, page: str) -> None:
        assert list(wrong_endpoints(items_of(page))) == []

    def test_a_file_exists_exactly_if_its_row_says_so(self, page: str) -> None:
        assert list(wrong_files(files(page))) == []


class TestItems:
    TEXT = """
## Endpoints

| first design | state | where |
|---|---|---|
| `GET /tests/{test_id}`, `PUT /tests/{test_id}` | done | |
| `GET /subjects`, `GET /nothing` | not yet | |

## Files

| `app/main.py`, `app/nothing.py` | done | |
| `app/config.py` | done otherwise | |

## Others

| `name` | partly | |
"""

    def test_endpoints_in_the_wrong_state_are_found(self) -> None:
        assert list(wrong_endpoints(items_of(self.TEXT))) == ["PUT /tests/{test_id}", "GET /subjects"]

    def test_files_in_the_wrong_state_are_found(self) -> None:
        assert list(wrong_files(files(self.TEXT))) == ["app/nothing.py", "app/config.py"]

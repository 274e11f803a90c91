"""docs/traceability.md: complete, and true of the files and of the application's routes."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi import FastAPI
from starlette.routing import Match

from app.main import create_app
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGE = DOCS / "traceability.md"
ITEMS = DOCS / "product-design-items.txt"

CODE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
STATE = re.compile(r"done|done otherwise|partly|not yet( \(issue \d+\))?")
ABSENT = "—"


@dataclass(frozen=True)
class Row:
    """One line of a table: what the product design names, and where it went."""

    section: str
    item: str
    state: str
    where: str
    test: str
    note: str

    @property
    def is_there(self) -> bool:
        return not self.state.startswith("not yet")

    @property
    def paths(self) -> list[str]:
        return CODE.findall(self.where) + CODE.findall(self.test)

    @property
    def complaint(self) -> str | None:
        """What the row itself lacks."""
        if not STATE.fullmatch(self.state):
            return "no such state"
        if not self.is_there:
            return "a path, though it is not there" if self.paths else None
        if self.section == "Endpoints" and ABSENT in (self.where, self.test):
            return "an endpoint needs code and a test"
        if self.state == "done":
            named_alike = self.section != "Files" or self.item in self.paths
            return None if self.paths and named_alike else "done, but not there: is it done otherwise?"
        if self.state == "done otherwise" and "](decisions/" not in self.note:
            return "by which decision?"
        return None if self.note != ABSENT else "what is missing?"


def rows_of_the_page() -> Iterator[Row]:
    section = ""
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif line.startswith("| `"):
            item, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            yield Row(section, item.strip("`"), *cells)


def items_of_the_product_design() -> Iterator[tuple[str, str]]:
    section = ""
    for line in ITEMS.read_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            yield section, line


def is_routed(app: FastAPI, endpoint: str) -> bool:
    """Whether the application itself would hand such a request to a route."""
    method, _, template = endpoint.partition(" ")
    path = "/v1" + re.sub(r"\{\w+\}", lambda _: str(uuid4()), template)
    kind = "websocket" if method == "WS" else "http"
    scope = {"type": kind, "method": method, "path": path, "root_path": "", "headers": []}
    return any(route.matches(scope)[0] is Match.FULL for route in app.routes)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(rows_of_the_page())


class TestTables:
    def test_each_item_has_one_row_and_each_row_is_an_item(self, rows: list[Row]) -> None:
        assert sorted((row.section, row.item) for row in rows) == sorted(items_of_the_product_design())

    def test_nothing_was_lost_in_transcribing(self, rows: list[Row]) -> None:
        """Counted in the product design: 38 endpoints, 2 health routes, 3 sockets, 14 chapters."""
        count = Counter(row.section for row in rows)
        assert (count["Endpoints"], count["Sockets"], count["Chapters"]) == (40, 3, 14)

    def test_each_row_says_what_its_state_needs(self, rows: list[Row]) -> None:
        assert {row.item: row.complaint for row in rows if row.complaint} == {}

    def test_paths_lead_somewhere(self, rows: list[Row]) -> None:
        missing = {row.item: [path for path in row.paths if not (ROOT / path).exists()] for row in rows}
        assert {item: paths for item, paths in missing.items() if paths} == {}

    def test_an_endpoint_is_a_route_exactly_if_it_is_there(self, rows: list[Row]) -> None:
        app = create_app()
        endpoints = [row for row in rows if row.section in ("Endpoints", "Sockets")]
        assert [row.item for row in endpoints if is_routed(app, row.item) is not row.is_there] == []

    def test_a_file_has_the_product_designs_name_exactly_if_the_row_says_so(self, rows: list[Row]) -> None:
        files = [row for row in rows if row.section == "Files"]
        named_alike = {row.item: row.item in CODE.findall(row.where) for row in files}
        assert {item: (ROOT / item).exists() for item in named_alike} == named_alike


class TestIsRouted:
    def test_it_tells_routes_from_others(self) -> None:
        app = create_app()
        assert is_routed(app, "GET /tests/{test_id}")
        assert not is_routed(app, "PUT /tests/{test_id}")
        assert not is_routed(app, "GET /nothing/{here}")


class TestPages:
    def test_every_decision_is_in_the_index(self) -> None:
        index = (DOCS / "decisions" / "README.md").read_text()
        decisions = sorted(file.name for file in (DOCS / "decisions").glob("0*.md"))
        assert sorted(LINK.findall(index)) == decisions

    def test_links_between_pages_lead_somewhere(self) -> None:
        assert list(_broken_links([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])) == []


def _broken_links(pages: list[Path]) -> Iterator[tuple[str, str]]:
    for page in pages:
        for link in LINK.findall(page.read_text()):
            if "://" not in link and not (page.parent / link).exists():
                yield page.name, link

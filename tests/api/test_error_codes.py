"""The table of error codes in docs/api.md is complete and true."""

import re

from app.api import problems
from tests.conftest import ROOT
from tests.error_sentences import domain_errors

BEFORE_A_REQUEST = {(400, "malformed_request"), (431, "headers_too_large")}
ROW = re.compile(r"^\| (\d{3}) \| `(\w+)` \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def test_the_table_has_every_code_with_its_status() -> None:
    page = (ROOT / "docs" / "api.md").read_text()
    table = page[page.index("\n## Errors\n") :]
    documented = [(int(status), code) for status, code, *_ in ROW.findall(table)]
    raised = {(each.status, each.code) for each in domain_errors() if hasattr(each, "code")}
    others = {(405, "method_not_allowed"), (500, "internal_error"), *BEFORE_A_REQUEST}
    assert sorted(documented) == sorted(raised | others)


def test_the_framework_raises_no_other_code() -> None:
    assert {int(status) for status in problems.FRAMEWORK_ERRORS} == {404, 405}

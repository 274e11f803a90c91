"""`ias verify`: response sheets and receipts, genuine and changed; and the programs of docs/proof.md."""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import orjson
import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core import receipts
from app.core.signed_files import SHEET_FORMAT
from app.core.signing import Signer, canonical, digest_of, to_base64url
from tests.conftest import ROOT

Json = dict[str, Any]
SIGNER = Signer.derive("the secret of a test", 1)
ATTEMPT = "0198a5c0-7c1e-7000-8000-000000000001"
RESPONSE = {
    "question_id": "0198a5c0-7c1e-7000-8000-000000000002",
    "revision": 3,
    "answer": {"p": "2", "é": "1"},
}
BODY = {"attempt_id": ATTEMPT, "lease": 1, "responses": [RESPONSE]}
AT = datetime(2026, 6, 7, 4, 0, 1, 5, UTC)


def facts() -> Json:
    rest = {"marked_for_review": False, "time_spent_ms": 0, "confidence": None, "language": None}
    sent = SimpleNamespace(**(rest | RESPONSE | {"question_id": UUID(str(RESPONSE["question_id"]))}))
    return receipts.response_facts(sent, 1)


RECEIPT = receipts.issue(SIGNER, UUID(ATTEMPT), AT, [facts()])


def sheet() -> Json:
    log = [facts() | {"received_at": "2026-06-07T04:00:01.000005Z", "late": False}]
    return {
        "format": SHEET_FORMAT,
        "as_of": "2026-06-07T04:00:02.000000Z",
        "candidate": {"name": 'राधा "R" 🎓 \\ Rao\u2028', "roll_number": "4812"},
        "attempt": {"id": ATTEMPT, "status": "void"},
        "log": log,
        "log_digest": digest_of(log).hex(),
    }


def signed(content: Json) -> Json:
    value = to_base64url(SIGNER.sign(canonical(content)))
    return {"sheet": content, "signature": {"algorithm": "Ed25519", "key_id": SIGNER.key_id, "value": value}}


def key(signer: Signer = SIGNER, since: str = "2026-06-07T04:00:02Z", until: str | None = None) -> Json:
    public_key = to_base64url(signer.public_key)
    return {
        "id": signer.key_id,
        "algorithm": "Ed25519",
        "public_key": public_key,
        "from": since,
        "until": until,
    }


@dataclass(frozen=True)
class Files:
    folder: Path

    def write(self, name: str, content: Any) -> str:
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
        return str(path)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def keys(files: Files) -> str:
    return files.write("keys.json", {"items": [key(Signer.derive("another", 1)), key()]})


def said(*arguments: str, code: int) -> str:
    result = CliRunner().invoke(app, ["verify", *arguments])
    assert result.exit_code == code, result.output
    return result.output


class TestSheets:
    def test_a_genuine_one(self, files: Files, keys: str) -> None:
        output = said(files.write("s.json", signed(sheet())), "--keys", keys, code=0)
        assert output.startswith("Genuine: the response sheet of राधा")
        assert f"roll number 4812, attempt {ATTEMPT}, void, as of 2026-06-07T04:00:02" in output

    def test_its_form_may_change_but_not_its_content(self, files: Files, keys: str) -> None:
        pretty = json.dumps(signed(sheet()), indent=3).encode()  # other order, escapes and spaces
        said(files.write("s.json", pretty), "--keys", keys, code=0)

    @pytest.mark.parametrize(
        ("content", "sentence"),
        [
            ({**signed(sheet()), "sheet": sheet() | {"as_of": "2027"}}, "The sheet was changed"),
            (signed(sheet() | {"log_digest": "00"}), "The digest in the sheet"),
            (signed(sheet() | {"format": "another"}), "The format of the sheet is another"),
            (
                signed(sheet()) | {"signature": {"key_id": "0000", "value": "AA"}},
                "does not have the key 0000",
            ),
            (signed(sheet()) | {"signature": {"key_id": ["x"], "value": "AA"}}, "does not have the key"),
            ({"sheet": 1}, "not a signed response sheet"),
            (b"[]", "not a signed response sheet"),
            (b"", "not a signed response sheet"),
            (b"%PDF-1.7\nnothing", "has no signed response sheet attached"),
        ],
    )
    def test_what_is_not_says_why(self, files: Files, keys: str, content: Any, sentence: str) -> None:
        output = said(files.write("s", content), "--keys", keys, code=1)
        assert output.startswith("Not genuine: ")
        assert sentence in output

    @pytest.mark.parametrize(
        ("list_of_keys", "sentence"),
        [
            ({"items": []}, "does not have the key"),
            ({"items": [key() | {"id": "00"}]}, "is not the id of its key"),
            ({"items": [{}]}, "not a list"),
            ([], "not a list"),
        ],
    )
    def test_keys_that_do_not_fit(self, files: Files, list_of_keys: Any, sentence: str) -> None:
        wrong = files.write("wrong.json", list_of_keys)
        assert sentence in said(files.write("s.json", signed(sheet())), "--keys", wrong, code=1)


class TestReceipts:
    def test_alone_with_its_body_and_with_the_sheet(self, files: Files, keys: str) -> None:
        at = f"of attempt {ATTEMPT} were received at 2026-06-07 04:00:01.000005 UTC."
        assert at in said("--receipt", RECEIPT, "--keys", keys, code=0)
        body, file = files.write("body.json", BODY), files.write("s.json", signed(sheet()))
        receipt = files.write("receipt.txt", RECEIPT.encode() + b"\n")
        output = said(file, "--receipt", receipt, "--responses", body, "--keys", keys, code=0)
        assert f"Genuine: these responses {at}" in output

    def test_other_responses(self, files: Files, keys: str) -> None:
        other = files.write("body.json", BODY | {"responses": [RESPONSE | {"revision": 4}]})
        output = said("--receipt", RECEIPT, "--responses", other, "--keys", keys, code=1)
        assert "is for other responses" in output

    def test_a_sheet_without_its_responses(self, files: Files, keys: str) -> None:
        empty = signed(sheet() | {"log": [], "log_digest": digest_of([]).hex()})
        asked = ["--receipt", RECEIPT, "--responses", files.write("body.json", BODY), "--keys", keys]
        assert "lacks responses" in said(files.write("s.json", empty), *asked, code=1)

    def test_a_sheet_of_another_attempt(self, files: Files, keys: str) -> None:
        other = signed(sheet() | {"attempt": {"id": "another", "status": "submitted"}})
        asked = ["--receipt", RECEIPT, "--keys", keys]
        assert "different attempts" in said(files.write("s.json", other), *asked, code=1)

    @pytest.mark.parametrize(
        "times",
        [
            {"since": "2026-06-07T04:06:00Z"},
            {"since": "2026-06-01T00:00:00Z", "until": "2026-06-07T03:54:00Z"},
        ],
    )
    def test_a_time_at_which_its_key_was_not_in_use(self, files: Files, times: Json) -> None:
        keys = files.write("keys.json", {"items": [key(**times)]})
        assert "was not in use" in said("--receipt", RECEIPT, "--keys", keys, code=1)

    def test_what_is_none(self, keys: str) -> None:
        assert "172 characters" in said("--receipt", "AQ", "--keys", keys, code=1)
        assert "was changed" in said("--receipt", f"{RECEIPT[:-2]}AA", "--keys", keys, code=1)


@pytest.mark.parametrize(
    "arguments",
    [["--keys", "KEYS"], ["--receipt", "x"], ["--receipt", "x", "--api-url", "y", "--keys", "KEYS"]],
)
def test_what_is_missing(keys: str, arguments: list[str]) -> None:
    said(*[keys if each == "KEYS" else each for each in arguments], code=2)


def test_an_api_that_does_not_answer() -> None:
    output = said("--receipt", RECEIPT, "--api-url", "http://127.0.0.1:9", code=1)
    assert "cannot be fetched" in output


PROGRAMS = {
    "python": (sys.executable, "verify.py"),
    "javascript": (shutil.which("node") or "", "verify.mjs"),
}


@pytest.mark.parametrize("language", PROGRAMS)
def test_the_programs_of_the_documentation(files: Files, keys: str, language: str) -> None:
    interpreter, name = PROGRAMS[language]
    if not interpreter:
        pytest.skip("this machine has no Node.js")
    page = (ROOT / "docs" / "proof.md").read_text()
    [source] = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len([line for line in source.splitlines() if line.strip()]) <= 20
    program = files.write(name, source.encode())
    changed = signed(sheet()) | {"sheet": sheet() | {"as_of": "2027"}}
    for content, code, output in ((signed(sheet()), 0, "genuine"), (changed, 1, "not genuine")):
        file = files.write("s.json", content)
        command = [interpreter, program, file, keys]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, (done.stdout + done.stderr).strip()) == (code, output)

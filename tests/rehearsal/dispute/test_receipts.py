"""Receipts as a candidate verifies them: genuine ones are accepted, and every changed part is noticed."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from app.core import receipts as product
from app.core.signing import Signer, to_base64url
from rehearsal.dispute.receipts import Kept, mismatches, read_keys

SIGNER = Signer.derive("a secret of this test", 1)
KEYS = {SIGNER.key_id: SIGNER.public_key}
ATTEMPT = UUID("0198a5c0-7c1e-7000-8000-000000000001")
QUESTION = "0198a5c0-7c1e-7000-8000-000000000002"
SENT = {"question_id": QUESTION, "revision": 1, "answer": ["b"]}
STORED = SENT | {
    "lease": 2,
    "marked_for_review": False,
    "time_spent_ms": 0,
    "confidence": None,
    "language": None,
}
KEPT = Kept(
    str(ATTEMPT), 2, [SENT], product.issue(SIGNER, ATTEMPT, datetime(2026, 11, 29, tzinfo=UTC), [STORED])
)
OTHER = Kept(str(ATTEMPT), 2, [SENT], KEPT.receipt[:-4] + ("AAAA" if KEPT.receipt[-4:] != "AAAA" else "BBBB"))


def test_a_genuine_receipt_is_accepted() -> None:
    assert list(mismatches("Candidate 1", [KEPT], KEYS)) == []


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        (replace(KEPT, attempt_id=QUESTION), "it is of another attempt"),
        (replace(KEPT, lease=3), "it is of other responses"),
        (replace(KEPT, responses=[SENT | {"answer": ["c"]}]), "it is of other responses"),
        (OTHER, "its signature is not valid"),
    ],
    ids=["attempt", "lease", "answer", "signature"],
)
def test_a_receipt_of_something_else_is_noticed(kept: Kept, sentence: str) -> None:
    assert list(mismatches("Candidate 1", [KEPT, kept], KEYS)) == [f"Candidate 1: receipt 2: {sentence}"]


def test_keys_are_read_from_their_file(tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    item = {"id": SIGNER.key_id, "public_key": to_base64url(SIGNER.public_key)}
    file.write_text(json.dumps({"items": [item]}), "utf-8")
    assert read_keys(file) == KEYS


def test_a_key_that_was_not_published_is_noticed() -> None:
    assert list(mismatches("Candidate 1", [KEPT], {})) == ["Candidate 1: receipt 1: its key is not published"]

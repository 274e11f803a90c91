"""Receipts and canonical JSON: what is signed, and that every change of it is found."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from app.core import receipts, signing
from app.core.receipts import Receipt, ReceiptUnreadable
from app.core.signing import Signer

SIGNER = Signer.derive("a secret of a test", 1)
ATTEMPT = UUID("0198a5c0-7c1e-7000-8000-000000000001")
QUESTION = UUID("0198a5c0-7c1e-7000-8000-000000000002")
AT = datetime(2026, 6, 7, 4, 0, 1, 234567, UTC)


def facts(**changes: Any) -> list[dict[str, Any]]:
    sent = {"question_id": QUESTION, "revision": 3, "answer": ["b"], "marked_for_review": False}
    rest = {"time_spent_ms": 9000, "confidence": None, "language": "hi"}
    return [receipts.response_facts(SimpleNamespace(**(sent | rest | changes)), 2)]


RECEIPT = receipts.issue(SIGNER, ATTEMPT, AT, facts())


class TestReceipt:
    def test_it_says_what_was_sent_and_when(self) -> None:
        read = Receipt.read(RECEIPT)
        assert (read.key_id, read.attempt_id, read.received_at) == (SIGNER.key_id, ATTEMPT, AT)
        assert read.digest == signing.digest_of(facts())
        assert read.is_signed_by(SIGNER.public_key)
        assert len(RECEIPT) == 172

    def test_the_same_save_has_the_same_receipt(self) -> None:
        assert receipts.issue(SIGNER, ATTEMPT, AT, facts()) == RECEIPT

    @pytest.mark.parametrize("changed", [{"answer": ["c"]}, {"revision": 4}, {"marked_for_review": True}])
    def test_another_response_has_another_digest(self, changed: dict[str, Any]) -> None:
        assert Receipt.read(RECEIPT).digest != signing.digest_of(facts(**changed))

    def test_every_changed_byte_is_found(self) -> None:
        content = urlsafe_b64decode(RECEIPT)
        for position in range(1, len(content)):
            changed = bytearray(content)
            changed[position] ^= 1
            try:
                read = Receipt.read(urlsafe_b64encode(changed).decode())
            except ReceiptUnreadable:
                continue
            assert not read.is_signed_by(SIGNER.public_key), f"byte {position}"

    def test_another_key_is_refused(self) -> None:
        assert not Receipt.read(RECEIPT).is_signed_by(Signer.derive("another secret", 1).public_key)

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "has 0"),
            (RECEIPT[:-4], "has 168"),
            (RECEIPT[:-1] + "é", "letters"),
            ("Ag" + RECEIPT[2:], "version 2"),
            ("AQ" + "_" * 170, "no time"),
        ],
    )
    def test_what_is_no_receipt_says_why(self, text: str, said: str) -> None:
        with pytest.raises(ReceiptUnreadable, match=said):
            Receipt.read(text)


class TestSigner:
    def test_generations_and_secrets_have_keys_of_their_own(self) -> None:
        secrets = [("a secret of a test", 1), ("a secret of a test", 2), ("another secret", 1)]
        assert len({Signer.derive(secret, generation).key_id for secret, generation in secrets}) == 3
        assert Signer.derive(*secrets[0]).public_key == SIGNER.public_key

    def test_a_public_key_that_is_none_verifies_nothing(self) -> None:
        assert not signing.is_signed(b"short", SIGNER.sign(b"x"), b"x")


class TestCanonical:
    def test_it_is_the_json_of_rfc_8785(self) -> None:
        content = {"b": [1, True, None], "a": {"é": "\u20ac$\u000f\nA'\"\\", "_": "\u007f"}}
        expected = '{"a":{"_":"\u007f","é":"\u20ac$\\u000f\\nA\'\\"\\\\"},"b":[1,true,null]}'
        assert signing.canonical(content) == expected.encode()

    def test_a_time_must_be_text_already(self) -> None:
        with pytest.raises(TypeError):
            signing.canonical({"at": AT})

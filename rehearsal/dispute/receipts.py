"""Receipts of saves, verified as a candidate does: by what was sent and the public keys (docs/proof.md)."""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Keys = Mapping[str, bytes]
"""Public keys by their ids."""

_SIGNED = 65
_DEFAULTS = {"confidence": None, "language": None, "marked_for_review": False, "time_spent_ms": 0}


@dataclass(frozen=True, slots=True)
class Kept:
    """What a candidate keeps of a save: the lease and the responses that were sent, and the receipt."""

    attempt_id: str
    lease: int
    responses: Sequence[Mapping[str, Any]]
    receipt: str

    @property
    def body(self) -> dict[str, Any]:
        """The body of the save."""
        return {"attempt_id": self.attempt_id, "lease": self.lease, "responses": list(self.responses)}


def read_keys(published: Path) -> Keys:
    """The keys in a file that `ias signing-keys list --out` has written."""
    items = json.loads(published.read_text("utf-8"))["items"]
    return {item["id"]: _decoded(item["public_key"]) for item in items}


def mismatches(name: str, kept: Sequence[Kept], keys: Keys) -> Iterator[str]:
    """Receipts that do not prove what was sent."""
    for number, each in enumerate(kept, start=1):
        if wrong := _wrong(each, keys):
            yield f"{name}: receipt {number}: {wrong}"


def _wrong(kept: Kept, keys: Keys) -> str:
    content = _decoded(kept.receipt)
    key = keys.get(content[1:9].hex())
    if key is None:
        return "its key is not published"
    if content[9:25] != UUID(kept.attempt_id).bytes:
        return "it is of another attempt"
    if content[33:_SIGNED] != _digest(kept):
        return "it is of other responses"
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(content[_SIGNED:], content[:_SIGNED])
    except InvalidSignature:
        return "its signature is not valid"
    return ""


def _digest(kept: Kept) -> bytes:
    """SHA-256 of the responses in canonical JSON. All names and values here are plain ASCII."""
    listed = [{**_DEFAULTS, **response, "lease": kept.lease} for response in kept.responses]
    return hashlib.sha256(json.dumps(listed, sort_keys=True, separators=(",", ":")).encode()).digest()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

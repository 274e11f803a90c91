"""Signatures that anybody can verify: Ed25519 keys, canonical JSON and base64url (docs/proof.md)."""

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ALGORITHM = "Ed25519"
KEY_ID_BYTES = 8
_KEY_LABEL = b"ias signing key v1 "


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key of the institute, with its public key and the id by which that is found."""

    key_id: str
    public_key: bytes
    _private: Ed25519PrivateKey

    @classmethod
    def derive(cls, secret: str, generation: int) -> "Signer":
        """The key of this generation. It is derived, so that only `SECRET_KEY` has to be kept secret."""
        seed = hmac.digest(secret.encode(), _KEY_LABEL + str(generation).encode(), "sha256")
        private = Ed25519PrivateKey.from_private_bytes(seed)
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return cls(key_id_of(public), public, private)

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes. The same message has the same signature."""
        return self._private.sign(message)


def key_id_of(public_key: bytes) -> str:
    """The id of a public key: the beginning of its digest, in hexadecimal digits."""
    return hashlib.sha256(public_key).hexdigest()[: 2 * KEY_ID_BYTES]


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Whether the owner of the key has signed this message."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def canonical(content: Any) -> bytes:
    """The only JSON of this content: UTF-8, names in order, no spaces, as RFC 8785 requires.

    Times and ids must be strings already, and numbers whole: then RFC 8785 has no other rules, so that every
    language writes the same bytes with its own JSON library.
    """
    return orjson.dumps(content, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME)


def digest_of(content: Any) -> bytes:
    """The SHA-256 digest of the canonical JSON."""
    return hashlib.sha256(canonical(content)).digest()


def to_base64url(content: bytes) -> str:
    """Base64url without padding (RFC 4648)."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    """The bytes of base64url without padding. Raises `binascii.Error` for any other text."""
    content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if to_base64url(content) != text:
        raise binascii.Error("not base64url")
    return content

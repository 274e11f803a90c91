"""Names under which people appear to each other (docs/decisions/0071)."""

import hmac
from uuid import UUID

_KEY_LABEL = b"ias alias v1"
_DIGITS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 digits, without those that look like another one: 0, 1, I and O."""
_LENGTH = 8


def alias_of(secret: str, board_id: UUID, person_id: UUID) -> str:
    """Return the alias of a person on one board, such as `Candidate 7K2M-QXB4`.

    It is the same each time. Without the secret nobody can compute it from the ids, or tell that two aliases
    on two boards are one person. It has 40 bits: two of 100,000 people have the same one with a probability
    of about half a percent.
    """
    key = hmac.digest(secret.encode(), _KEY_LABEL, "sha256")
    bits = int.from_bytes(hmac.digest(key, board_id.bytes + person_id.bytes, "sha256")[:5], "big")
    code = "".join(_DIGITS[bits >> (5 * place) & 31] for place in range(_LENGTH))
    return f"Candidate {code[:4]}-{code[4:]}"

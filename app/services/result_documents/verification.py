"""The digest by which staff find out whether a printed result is the one that was released."""

import hashlib
from base64 import b32encode
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from app.models import ExamResult

_CHARACTERS, _GROUP = 20, 5


def digest_of(facts: Mapping[str, Any]) -> str:
    """The digest of facts, short enough to be typed: 100 bits in four groups."""
    content = orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)
    letters = b32encode(hashlib.sha256(content).digest()).decode()[:_CHARACTERS]
    return "-".join(letters[first : first + _GROUP] for first in range(0, _CHARACTERS, _GROUP))


def normalized(digest: str) -> str:
    """A digest as it was typed: without regard to case and spaces."""
    letters = "".join(each for each in digest.upper() if each.isalnum())
    return "-".join(letters[first : first + _GROUP] for first in range(0, len(letters), _GROUP))


def exam_digest(result: ExamResult) -> str:
    """The digest of what a release says of a candidate. A name may be corrected; the digest leaves it out."""
    pwbd = {"pwbd_rank": result.pwbd_rank} if result.pwbd_rank is not None else {}
    return digest_of(
        pwbd  # Documents that were printed before there was such a rank keep their digest.
        | {
            "exam": str(result.exam_id),
            "version": result.version,
            "registration": str(result.registration_id),
            "roll_number": result.roll_number,
            "outcome": result.outcome,
            "total": result.total,
            "rank": result.rank,
            "category_rank": result.category_rank,
            "papers": [
                {name: paper[name] for name in ("paper_id", "score_exact", "qualified", "rank")}
                for paper in result.papers
            ],
        }
    )


def attempt_digest(attempt_id: UUID, key_version: int, score_exact: str) -> str:
    """The digest of the score of an attempt at a test."""
    return digest_of({"attempt": str(attempt_id), "key_version": key_version, "score": score_exact})

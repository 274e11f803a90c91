"""Claimed keys: checked by the type of the question, and compared in their normal form."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.errors import FieldError, Invalid
from app.engine.dropped_keys import is_dropped
from app.engine.question_types import DROPPED_KEY, NO_KEY, question_type
from app.services.questions.content import reading_question
from app.services.tests.papers import FrozenPaper

Key = Mapping[str, Any]


def normal_claim(paper: FrozenPaper, question_id: UUID, claimed: Key) -> dict[str, Any]:
    """The claimed key in its normal form. Raises Invalid if it is no key of the question's type."""
    if is_dropped(claimed):  # By which rule it is dropped is not for candidates to say.
        return dict(DROPPED_KEY)
    question = paper.questions[question_id]
    with reading_question(question_id):
        kind = question_type(question.type)
    if claimed == NO_KEY:
        raise Invalid.field("claimed_key", 'Send what is right. If no answer is, send {"dropped": true}.')
    options = [{"id": option_id} for option_id in question.options]
    if problems := list(kind.key_problems(claimed, options)):
        errors = [FieldError(f"claimed_{problem.field}", problem.message) for problem in problems]
        raise Invalid("The claimed key is not a key of this question.", errors=errors)
    return kind.normalized_key(claimed)


def normal_key(paper: FrozenPaper, question_id: UUID, key: Key) -> Key:
    """A key of the paper in its normal form, to compare it with claims."""
    if is_dropped(key):
        return DROPPED_KEY
    if key == NO_KEY:
        return key
    with reading_question(question_id):
        return question_type(paper.questions[question_id].type).normalized_key(key)


def digest(claim: Key) -> str:
    """A digest that is the same for equal claims in their normal form."""
    text = json.dumps(claim, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()

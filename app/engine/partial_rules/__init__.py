"""The rules for partial marks. Each is a module of its own, and is listed here once."""

from collections.abc import Mapping

from app.engine.partial_rules.base import PartialRule, Parts
from app.engine.partial_rules.jee_advanced import JeeAdvanced
from app.engine.partial_rules.none import NoPartialMarks
from app.engine.partial_rules.per_pair import PerPair
from app.engine.partial_rules.proportional import Proportional
from app.sentences import Sentence

__all__ = ["NO_PARTIAL_MARKS", "PARTIAL_RULES", "PartialRule", "Parts", "partial_rule"]

NO_PARTIAL_MARKS = NoPartialMarks()

_RULES: tuple[PartialRule, ...] = (NO_PARTIAL_MARKS, Proportional(), JeeAdvanced(), PerPair())

PARTIAL_RULES: Mapping[str, PartialRule] = {rule.name: rule for rule in _RULES}


def partial_rule(name: str) -> PartialRule:
    """The rule of this name. Raises ValueError if there is none."""
    try:
        return PARTIAL_RULES[name]
    except KeyError:
        raise ValueError(Sentence('There is no partial rule "{name}".', name=name)) from None

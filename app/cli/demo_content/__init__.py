"""Demo content for an empty database: four accounts, a full mock, a CSAT set and two small tests."""

import csv
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

from app.core import supabase_errors
from app.core.errors import EmailTaken, Invalid
from app.engine.partial_rules.proportional import Proportional
from app.models import Role
from app.repositories.base import PageRequest
from app.repositories.tests import TestFilter
from app.services import accounts, tests
from app.services.components import Components
from app.services.questions import import_questions, passages
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Account, ensure_profile, operator

PASSWORD = "testpassword"  # noqa: S105 -- of demo accounts on development machines
ACCOUNTS = {
    "admin@example.com": ("Demo Admin", Role.ADMIN),
    "author@example.com": ("Demo Author", Role.AUTHOR),
    "candidate1@example.com": ("Asha Rao", Role.STUDENT),
    "candidate2@example.com": ("Vikram Singh", Role.STUDENT),
}

_UPSC = {
    "correct": "2",
    "incorrect": "-2/3",
    "unattempted": "0",
    "partial": "none",
    "dropped": "prorate",
    "rounding": "upsc",
}
# In this order, so that the shortest full test is the newest and heads the list.
_TESTS: dict[str, dict[str, Any]] = {
    "general_studies_mock.csv": {
        "title": {"en": "General Studies: full mock 1", "hi": "सामान्य अध्ययन: पूर्ण मॉक 1"},
        "kind": "full",
        "duration_seconds": 120 * 60,
        "languages": ["en", "hi"],
        "marking": _UPSC,
    },
    "csat.csv": {
        "title": {"en": "CSAT: set 1", "hi": "सीसैट: सेट 1"},
        "kind": "sectional",
        "duration_seconds": 60 * 60,
        "languages": ["en", "hi"],
        "marking": _UPSC | {"correct": "2.5", "incorrect": "-5/6"},
    },
    "mixed_formats.csv": {
        "title": {"en": "Practice: every kind of question"},
        "kind": "practice",
        "duration_seconds": 10 * 60,
        "marking": _UPSC | {"partial": Proportional.name, "rounding": "half_up"},
    },
    "general_studies.csv": {
        "title": {"en": "General Studies: a first test", "hi": "सामान्य अध्ययन: पहला टेस्ट"},
        "kind": "full",
        "duration_seconds": 15 * 60,
        "languages": ["en", "hi"],
        "marking": _UPSC,
    },
}
_PASSAGES = "csat_passages.csv"


async def load(parts: Components) -> bool:
    """Make accounts and tests if there are none. Either all of them are made, or none."""
    if not _is_for_development(parts):
        return False
    async with unit_of_work(parts.engine) as uow:
        if not await _is_empty(uow, parts):
            return False
        for email, (name, role) in ACCOUNTS.items():
            await _make_account(uow, parts, email, name, role)
        await _add_passages(uow)
        for file, fields in _TESTS.items():
            await _publish(uow, parts, file, fields)
    return True


def _is_for_development(parts: Components) -> bool:
    """Demo accounts have a known password, so that they are not made on a server that others can reach."""
    host = urlsplit(parts.settings.supabase_url).hostname
    return parts.settings.environment == "development" and host in ("127.0.0.1", "::1", "localhost")


async def _is_empty(uow: UnitOfWork, parts: Components) -> bool:
    users = await uow.users.page(None, None, PageRequest())
    listed = await tests.page(uow, operator(), parts.clock.now(), TestFilter(), PageRequest())
    return not users.items and not listed.items


async def _make_account(uow: UnitOfWork, parts: Components, email: str, name: str, role: Role) -> None:
    try:
        await accounts.create(uow, parts, email, PASSWORD, name, role)
    except EmailTaken:
        # A load that was killed may have made the account on the auth server only.
        await _adopt_account(uow, parts, email, name, role)


async def _adopt_account(uow: UnitOfWork, parts: Components, email: str, name: str, role: Role) -> None:
    try:
        session = await parts.auth.sign_in(email, PASSWORD)
    except supabase_errors.CredentialsRejected:
        raise EmailTaken from None
    user = session.user
    await ensure_profile(uow, Account(user.id, email, name, user.created_at.replace(microsecond=0)))
    await uow.users.set_role(session.user.id, role, parts.clock.now())


async def _add_passages(uow: UnitOfWork) -> None:
    """The texts and data tables that questions name by `external_id`."""
    sheet = resources.files(__package__).joinpath(_PASSAGES).read_text(encoding="utf-8")
    for row in csv.DictReader(sheet.splitlines(keepends=True)):
        text = {"en": row["text"], "hi": row["text_hi"]}
        draft = passages.PassageDraft(
            text={language: said for language, said in text.items() if said}, external_id=row["external_id"]
        )
        await passages.create(uow, operator(), draft)


async def _publish(uow: UnitOfWork, parts: Components, file: str, fields: dict[str, Any]) -> None:
    """Publish the questions of a sheet as a free test, in their order."""
    sheet = resources.files(__package__).joinpath(file).read_bytes()
    report = await import_questions(uow, operator(), sheet)
    if report.errors:
        raise Invalid(f"{file}, row {report.errors[0].row}: {report.errors[0].message}")
    section = tests.SectionDraft(name={"en": "Questions", "hi": "प्रश्न"}, question_ids=report.item_ids)
    test = await tests.create(uow, operator(), tests.TestDraft(sections=[section], **fields))
    await tests.publish(uow, operator(), test.id, parts.clock.now())

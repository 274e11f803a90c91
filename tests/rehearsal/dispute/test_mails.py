"""The mails of a dispute: those of other disputes are ignored, wrong and missing ones are noticed."""

from email.message import EmailMessage
from pathlib import Path
from random import Random
from typing import Any

import pytest

from rehearsal.account import Account
from rehearsal.client import Client, Metrics
from rehearsal.dispute.answers import Person
from rehearsal.dispute.candidates import Candidate
from rehearsal.dispute.exports import Change
from rehearsal.dispute.mails import Mailbox

LABEL = "0af3"
TEXT = "Hello,\n\nScore before: 2.00\nScore now: {score}\nRank before: 3\nRank now: 1\n"


def row(total: str, rank: int) -> dict[str, Any]:
    return {"total": total, "rank": rank, "papers": [{"score_exact": total}]}


def write(folder: Path, name: str, to: str, score: str = "4.00") -> None:
    mail = EmailMessage()
    mail["To"], mail["Subject"] = to, "Your result was revised: Dispute"
    mail.set_content(TEXT.format(score=score))
    (folder / f"{name}.eml").write_bytes(mail.as_bytes())


@pytest.mark.parametrize(
    ("mails", "found"),
    [
        ([f"x-{LABEL}-1@example.org"], []),
        ([], ["17: 0 mails about the revised result"]),
        (["x-another-1@example.org"], ["17: 0 mails about the revised result"]),
        ([f"x-{LABEL}-1@example.org"] * 2, ["17: 2 mails about the revised result"]),
    ],
    ids=["right", "none", "of another dispute", "two"],
)
async def test_each_changed_result_has_one_mail(tmp_path: Path, mails: list[str], found: list[str]) -> None:
    candidate, change, mailbox = await told(tmp_path)
    for number, to in enumerate(mails):
        write(tmp_path, f"new-{number}", to)
    await mailbox.wait_for({"results revised": len(mails) - ("another" in "".join(mails))}, quiet=0)

    assert list(mailbox.mismatches([change], [candidate])) == found


async def test_a_mail_with_other_figures_is_noticed(tmp_path: Path) -> None:
    candidate, change, mailbox = await told(tmp_path)
    write(tmp_path, "new", candidate.account.email, score="6.00")
    await mailbox.wait_for({"results revised": 1}, quiet=0)

    [sentence] = mailbox.mismatches([change], [candidate])
    assert sentence == "17: the mail does not name the old and the new score and rank"


async def told(folder: Path) -> tuple[Candidate, Change, Mailbox]:
    """A candidate whose result has changed, and a mailbox that ignores what was there before."""
    write(folder, "old", f"x-{LABEL}-1@example.org")
    account = Account(f"x-{LABEL}-1@example.org", "Candidate 1")
    async with Client("http://localhost", Metrics(), Random(0)) as client:
        candidate = Candidate(Person(1, "general", None, (), ()), account, client, roll_number="17")
    return candidate, Change("17", row("2.00", 3), row("4.00", 1)), Mailbox(folder, LABEL)

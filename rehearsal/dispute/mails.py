"""The mails of a dispute, in the folder into which `ias up` writes them."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from email import message_from_bytes, policy
from pathlib import Path

from rehearsal.dispute.candidates import Candidate
from rehearsal.dispute.exports import Change

_KINDS = {
    "The results are out": "results released",
    "Your objection was accepted": "objections accepted",
    "Your objection was rejected": "objections rejected",
    "Your result was revised": "results revised",
}
_FACTS = ("Score before", "Score now", "Rank before", "Rank now")
_QUIET_SECONDS, _MAX_WAIT_SECONDS = 20.0, 900.0


class Mailbox:
    """Mails to the people of one dispute, by kind and address. `label` is a part of their addresses."""

    def __init__(self, folder: Path, label: str) -> None:
        self.found: dict[str, dict[str, list[str]]] = {kind: {} for kind in _KINDS.values()}
        self._folder, self._label = folder, label
        self._read = {path.name for path in folder.glob("*.eml")} if folder.exists() else set()

    async def wait_for(self, expected: Mapping[str, int], quiet: float = _QUIET_SECONDS) -> None:
        """Wait until there are so many mails of each kind, or until none has come for some seconds."""
        began = last = time.monotonic()
        while self.counts != Counter(expected) and time.monotonic() - began < _MAX_WAIT_SECONDS:
            if await asyncio.to_thread(self._read_new):
                last = time.monotonic()
            elif time.monotonic() - last > quiet:
                return
            await asyncio.sleep(0.5)

    @property
    def counts(self) -> Counter[str]:
        """The number of mails of each kind."""
        return Counter({kind: sum(map(len, each.values())) for kind, each in self.found.items()})

    def mismatches(self, changes: Sequence[Change], candidates: Sequence[Candidate]) -> Iterator[str]:
        """Mails about a revised result that are missing, too many, or without the old and the new figures."""
        email_of = {candidate.roll_number: candidate.account.email for candidate in candidates}
        for change in changes:
            texts = self.found["results revised"].get(email_of[change.roll_number], [])
            if len(texts) != change.is_told:
                yield f"{change.roll_number}: {len(texts)} mails about the revised result"
            elif texts and not _names(texts[0], change):
                yield f"{change.roll_number}: the mail does not name the old and the new score and rank"

    def _read_new(self) -> int:
        """Read the mails that have come since. Returns how many."""
        new = sorted(path for path in self._folder.glob("*.eml") if path.name not in self._read)
        for path in new:
            self._read.add(path.name)
            self._keep(path.read_bytes())
        return len(new)

    def _keep(self, content: bytes) -> None:
        mail = message_from_bytes(content, policy=policy.default)
        kind = _KINDS.get(str(mail["Subject"]).partition(":")[0])
        body = mail.get_body(("plain",))
        if kind and body is not None and self._label in str(mail["To"]):
            self.found[kind].setdefault(str(mail["To"]), []).append(body.get_content())

    def example(self, changes: Sequence[Change], candidates: Sequence[Candidate]) -> str:
        """What one mail says, of the candidate whose rank has changed most."""
        change = max(changes, key=lambda each: abs(each.places))
        [email] = [each.account.email for each in candidates if each.roll_number == change.roll_number]
        text = self.found["results revised"].get(email, [""])[0]
        return "\n".join(line for line in text.splitlines() if line.partition(":")[0] in _FACTS)


def _names(text: str, change: Change) -> bool:
    facts = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
    before, after = change.before, change.after
    shown = [facts.get(name) for name in _FACTS]
    return shown == [before["total"], after["total"], str(before["rank"]), str(after["rank"])]

"""The dispute, from the exam to the revised ranks: what happens, in order, and what is checked."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from app.config import get_settings
from rehearsal.account import Account
from rehearsal.client import Client, Metrics, UnexpectedResponse
from rehearsal.concurrency import run_limited
from rehearsal.dispute import commands, exports, objections, receipts
from rehearsal.dispute.answers import draw_people
from rehearsal.dispute.candidates import Candidate, PublishedExam
from rehearsal.dispute.exports import Change, Export
from rehearsal.dispute.mails import Mailbox
from rehearsal.dispute.objections import Cluster, make_clusters, statement
from rehearsal.dispute.options import DISPUTED, DisputeOptions
from rehearsal.dispute.paper import key_of, read_paper
from rehearsal.dispute.staff import DisputeAuthor

_CLIENTS = 20


class WindowTooShort(UnexpectedResponse):
    """The window for objections closed before everybody had objected."""


@dataclass
class Dispute:
    """One run. `events` are the lines of the report, `problems` what is not as it must be."""

    options: DisputeOptions
    metrics: Metrics = field(default_factory=Metrics)
    label: str = field(default_factory=lambda: uuid4().hex[:8])
    events: deque[tuple[float, str]] = field(default_factory=deque)
    candidates: Sequence[Candidate] = ()
    changes: Sequence[Change] = ()
    problems: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.questions = read_paper(self.options.paper)
        self._author = DisputeAuthor(self.options.api_url, self.label, self.metrics)
        self._clients = [
            Client(self.options.api_url, self.metrics, Random(number))  # noqa: S311 -- how long to wait
            for number in range(_CLIENTS)
        ]
        folder = get_settings().mail_folder
        self._mailbox = Mailbox(folder, self.label) if folder is not None else None

    def report(self, line: str) -> None:
        """Add a line to the report."""
        self.events.append((time.monotonic(), line))

    async def run(self) -> None:
        """Play the dispute and check everything. Raises UnexpectedResponse if it cannot go on."""
        try:
            exam = await self._publish()
            try:
                await self._play(exam)
            except BaseException:
                await self._author.cancel(exam)
                raise
            await self._author.archive(exam)
        finally:
            await asyncio.gather(self._author.close(), *(each.__aexit__() for each in self._clients))

    async def _publish(self) -> PublishedExam:
        """Publish the exam with the wrong key."""
        await self._author.make_account()
        exam = await self._author.publish_exam(self.questions)
        disputed = self.questions[DISPUTED - 1]
        self.report(
            f"An exam with {len(self.questions)} questions is open. According to the key of question"
            f" {DISPUTED}, {statement(disputed.released)}; in truth {statement(disputed.right)}."
        )
        return exam

    async def _play(self, exam: PublishedExam) -> None:
        published = self.options.out / "keys.json"
        await commands.ias("signing-keys", "list", "--out", str(published))
        await self._sit(exam)
        clusters = make_clusters(self.questions, self.candidates)
        closes_at = await self._release(exam)
        await self._object(exam, clusters)
        before = await self._export(exam, "before", key=1)
        await _wait_until(closes_at)
        await self._decide(exam, clusters)
        revision = await self._revise(exam)
        after = await self._export(exam, "after", key=2)
        self.changes = exports.changes(before, after)
        self._add(exports.impact_mismatches(self.changes, revision["impact"]))
        self._add(exports.revision_mismatches(self.changes, self.candidates))
        await self._check_receipts(published)
        await self._check_mails(clusters)

    async def _sit(self, exam: PublishedExam) -> None:
        """Everybody takes the paper."""
        people = draw_people(self.questions, self.options.candidates, self.options.seed)
        self.candidates = [
            Candidate(person, self._account(person.number), self._clients[person.number % _CLIENTS])
            for person in people
        ]
        await run_limited([self._counted(candidate, exam) for candidate in self.candidates])
        self.report(f"{len(self.candidates)} candidates have taken the paper and submitted it.")

    def _account(self, number: int) -> Account:
        return Account(f"rehearsal-{self.label}-{number}@example.org", f"Candidate {number}")

    async def _counted(self, candidate: Candidate, exam: PublishedExam) -> None:
        await candidate.take(exam)
        self.metrics.counts["submitted"] += 1

    async def _release(self, exam: PublishedExam) -> datetime:
        """Release the results with the wrong key. Returns when the window for objections closes."""
        released = await self._author.close_and_release(exam, self.options.objection_seconds)
        self.report(f"The results are released: {released['participants']} candidates are ranked.")
        shown = (await self._author.ask("GET", exam.exam_path)).body
        return datetime.fromisoformat(shown["objections"]["closes_at"])

    async def _object(self, exam: PublishedExam, clusters: Sequence[Cluster]) -> None:
        """Everybody objects within the window. Raises WindowTooShort."""
        objecting = [
            candidate.object_to(exam, cluster.objection(exam.question_ids))
            for cluster in clusters
            for candidate in cluster.objectors
        ]
        try:
            await run_limited(objecting)
        except UnexpectedResponse as error:
            if "objections_closed" in str(error):
                raise WindowTooShort(str(error)) from None
            raise
        self.report(f"{len(objecting)} candidates object to keys, each with three sources.")

    async def _export(self, exam: PublishedExam, when: str, key: int) -> Export:
        """Read everybody's result, export the exam, and let the grader compute it again."""
        await run_limited([self._read(candidate, exam) for candidate in self.candidates])
        path = self.options.out / f"{when}.jsonl"
        await commands.ias("exam", "export", exam.exam_id, str(path))
        is_equal, line = await commands.grade(path)
        self.report(f"The independent grader, {when} the revision: {line}.")
        export = Export.read(path)
        if not is_equal:
            self.problems.append(f"the grader, {when} the revision: {line}")
        self._add(exports.mismatches(export, self.candidates, key, reading=key - 1))
        return export

    async def _read(self, candidate: Candidate, exam: PublishedExam) -> None:
        await candidate.read_result(exam)
        self.metrics.counts["results read"] += 1

    async def _decide(self, exam: PublishedExam, clusters: Sequence[Cluster]) -> None:
        """Decide each cluster after the window has closed."""
        self._add(objections.mismatches(clusters, await self._author.clusters(exam)))
        printed = await commands.ias("exam", "objections", exam.exam_id)
        self.report(f"The window is closed. `ias exam objections` lists the claims:\n{printed.rstrip()}")
        for cluster in clusters:
            decided = await self._author.decide(exam, cluster.decision(exam.question_ids))
            if decided["told"] != len(cluster.objectors):
                self.problems.append(f"{decided['told']} of {len(cluster.objectors)} objectors are told")
            if cluster.accepted:
                self._check_proposal(exam, decided["revision"])
        accepted = sum(len(cluster.objectors) for cluster in clusters if cluster.accepted)
        self.report(
            f"Decided: question {DISPUTED} is to be corrected ({accepted} objections accepted),"
            f" {sum(len(each.objectors) for each in clusters) - accepted} objections are rejected."
        )

    def _check_proposal(self, exam: PublishedExam, revision: dict[str, Any] | None) -> None:
        expected = [
            {
                "question_id": exam.question_ids[DISPUTED - 1],
                "key": key_of(self.questions[DISPUTED - 1].right),
            }
        ]
        if revision is None or revision["body"]["changes"] != expected:
            self.problems.append(f"the decision proposes {revision}, it should propose {expected}")

    async def _revise(self, exam: PublishedExam) -> dict[str, Any]:
        """Try the revision at the command line, and publish the dry run by the API."""
        right = self.questions[DISPUTED - 1].right
        reason = f"Question {DISPUTED}: {statement(right)}."
        number, printed = await commands.dry_run(exam.test_id, DISPUTED, right, reason)
        self.report(f"A dry run with `ias test revise-key`:\n{printed.rstrip()}")
        began = time.monotonic()
        revision = await self._author.publish_revision(exam, number)
        seconds = time.monotonic() - began
        progress = f"{revision['progress']['done']} of {revision['progress']['total']}"
        self.report(f"The revision is published: {progress} attempts graded again in {seconds:.1f} s.")
        return revision

    async def _check_receipts(self, published: Path) -> None:
        """The receipts still prove what was sent, by keys that were published before the exam."""
        keys = receipts.read_keys(published)
        found = [
            sentence
            for candidate in self.candidates
            for sentence in receipts.mismatches(f"Candidate {candidate.person.number}", candidate.kept, keys)
        ]
        count = sum(len(candidate.kept) for candidate in self.candidates)
        self.report(f"{count - len(found)} of {count} receipts are valid after the revision.")
        self.problems += found
        kept, body = self.candidates[0].kept[0], self.options.out / "save.json"
        body.write_text(json.dumps(kept.body), "utf-8")
        options = ("--receipt", kept.receipt, "--responses", str(body), "--keys", str(published))
        self.report(f"`ias verify` says of one: {(await commands.ias('verify', *options)).strip()}")

    async def _check_mails(self, clusters: Sequence[Cluster]) -> None:
        """Everybody has heard of the release, of the decision and of the change."""
        if self._mailbox is None:
            self.report("Mails go to SMTP here and were not checked.")
            return
        accepted = sum(len(cluster.objectors) for cluster in clusters if cluster.accepted)
        expected = {
            "results released": len(self.candidates),
            "objections accepted": accepted,
            "objections rejected": sum(len(cluster.objectors) for cluster in clusters) - accepted,
            "results revised": sum(change.is_told for change in self.changes),
        }
        await self._mailbox.wait_for(expected)
        counts = dict(self._mailbox.counts)
        self.report("Mails: " + ", ".join(f"{kind} {count}" for kind, count in counts.items()) + ".")
        if counts != expected:
            self.problems.append(f"the mails are {counts}, they should be {expected}")
        self.report(f"One of them says:\n{self._mailbox.example(self.changes, self.candidates)}")
        self._add(self._mailbox.mismatches(self.changes, self.candidates))

    def _add(self, found: Iterable[str]) -> None:
        self.problems += found


async def _wait_until(moment: datetime) -> None:
    """Wait until a time by this machine's clock, and a second more."""
    await asyncio.sleep(max(0.0, (moment - datetime.now(UTC)).total_seconds()) + 1)

"""Versions of what a candidate reads: digests of the rows that results, boards and analytics come from.

A row has a new place and transaction (`ctid`, `xmin`) after each change, so equal values mean an unchanged
row. No key and no score is returned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, bindparam, text

from app.models import DEFAULT_INSTITUTE_ID
from app.repositories.base import Repository
from app.repositories.users.users import Enrolment


@dataclass(frozen=True, slots=True)
class ReadVersion:
    """What a candidate's answers depend on at one moment, and the profile that they are built for."""

    digest: str
    name: str
    email: str
    email_since: datetime | None
    category: str
    timezone: str
    enrolment: Enrolment


def _rows(table: str) -> str:
    """A digest of rows. A sum, because the same row can be joined twice."""
    return f"coalesce(sum(hashtextextended({table}.ctid::text || {table}.xmin::text, 0)), 0)"


# One row for each of `asked` who is a candidate and not banned. `of_embargo` is all that the embargo of
# repositories/embargo.py depends on besides the attempts: a paper's questions never change. `of_tests` has
# what others change: papers, keys, histograms and statistics of the tests that somebody asks about.
_VERSIONS = text(
    f"""
    with asked as materialized (
      select * from unnest(:user_ids, :test_ids) with ordinality as each(user_id, test_id, place)
    ),
    of_embargo as materialized (
      select concat_ws(' ',
        (select {_rows("exams")} from ias.exams where released_at is null and cancelled_at is null),
        (select {_rows("exam_papers")} from ias.exam_papers join ias.exams on exams.id = exam_id
          where released_at is null and cancelled_at is null),
        (select {_rows("papers")} from ias.papers where test_id in (
          select exam_papers.test_id from ias.exam_papers join ias.exams on exams.id = exam_id
          where released_at is null and cancelled_at is null))) as digest
    ),
    own as materialized (
      select asked.place, users.name, users.email, users.email_since, users.category, users.timezone,
        memberships.enrolled_at, memberships.enrolled_until, memberships.batches, taken.tests,
        concat_ws(' ', users.ctid, users.xmin, memberships.ctid, memberships.xmin, taken.digest,
          revised.digest, advice.digest) as digest
      from asked
      join ias.users on users.id = asked.user_id and users.active
      join ias.memberships on memberships.user_id = users.id
        and memberships.institute_id = :institute_id and memberships.role = 'student'
      cross join lateral (
        select array_agg(distinct attempts.test_id) as tests,
          concat_ws(' ', {_rows("attempts")}, {_rows("results")}, {_rows("attempt_figures")},
            {_rows("tests")}) as digest
        from ias.attempts
        join ias.tests on tests.id = attempts.test_id
        left join ias.results on results.attempt_id = attempts.id
        left join ias.attempt_figures on attempt_figures.attempt_id = attempts.id
        where attempts.user_id = asked.user_id
          and (asked.test_id is null or attempts.test_id = asked.test_id)
      ) as taken
      cross join lateral (
        select concat_ws(' ', {_rows("revised_results")}, {_rows("key_revisions")}) as digest
        from ias.attempts
        join ias.revised_results on revised_results.attempt_id = attempts.id
        join ias.key_revisions on key_revisions.id = revised_results.revision_id
        where attempts.user_id = asked.user_id
          and (asked.test_id is null or attempts.test_id = asked.test_id)
      ) as revised
      cross join lateral (
        select concat_ws(' ',
          (select {_rows("candidate_ratings")} from ias.candidate_ratings where user_id = asked.user_id),
          (select {_rows("subject_abilities")} from ias.subject_abilities where user_id = asked.user_id),
          (select {_rows("dismissals")} from ias.dismissals where user_id = asked.user_id),
          (select {_rows("review_cards")} from ias.review_cards where user_id = asked.user_id)) as digest
      ) as advice
    ),
    of_tests as materialized (
      select asked_for.id, concat_ws(' ',
        (select {_rows("tests")} from ias.tests where tests.id = asked_for.id),
        (select concat_ws(' ', {_rows("papers")}, {_rows("paper_keys")}) from ias.papers
          join ias.paper_keys on paper_keys.paper_id = papers.id where papers.test_id = asked_for.id),
        (select {_rows("paper_statistics")} from ias.paper_statistics
          where paper_statistics.test_id = asked_for.id),
        (select sum(counted.digest) from (
          select paper_keys.cohort_id from ias.papers join ias.paper_keys on paper_keys.paper_id = papers.id
          where papers.test_id = asked_for.id
          union select exam_papers.id from ias.exam_papers where exam_papers.test_id = asked_for.id
        ) as cohort(id) cross join lateral (
          select {_rows("outcome_counts")} as digest from ias.outcome_counts
          where outcome_counts.cohort_id = cohort.id offset 0) as counted)) as digest
      from (
        select test_id as id from asked where test_id is not null union select unnest(tests) from own
      ) as asked_for
    )
    select own.place, own.name, own.email, own.email_since, own.category, own.timezone, own.enrolled_at,
      own.enrolled_until, own.batches,
      concat_ws(' ', of_embargo.digest, own.digest, asked_test.digest, (
        select string_agg(of_tests.digest, ' ' order by of_tests.id) from of_tests
        where of_tests.id = any(own.tests))) as digest
    from own cross join of_embargo
    join asked using (place) left join of_tests as asked_test on asked_test.id = asked.test_id
    """  # noqa: S608 -- only names of tables are inserted
).bindparams(
    bindparam("user_ids", type_=ARRAY(Uuid)),
    bindparam("test_ids", type_=ARRAY(Uuid)),
    bindparam("institute_id", DEFAULT_INSTITUTE_ID, type_=Uuid),
)

PROFILE = "users.ctid::text || users.xmin::text"
"""The version of a profile, in a statement over `users`."""
_PROFILES = text(
    f"select id, {PROFILE} from ias.users where id = any(:ids)"  # noqa: S608 -- only columns are inserted
).bindparams(bindparam("ids", type_=ARRAY(Uuid)))

Asked = tuple[UUID, UUID | None]
"""A person, and the test that an answer is about; None if it is about all of the person's tests."""


class ReadVersionRepository(Repository):
    """Versions of answers, for many people at once."""

    async def of(self, asked: Sequence[Asked]) -> Mapping[Asked, ReadVersion]:
        """For those who are candidates and not banned. docs/decisions/0096 says what a digest covers."""
        values = {
            "user_ids": [user_id for user_id, _ in asked],
            "test_ids": [test_id for _, test_id in asked],
        }
        rows = await self._session.execute(_VERSIONS, values)
        return {asked[row.place - 1]: _version(row) for row in rows}

    async def of_profiles(self, user_ids: Sequence[UUID]) -> Mapping[UUID, str]:
        """Versions of the profiles of people who appear on boards."""
        return dict((await self._session.execute(_PROFILES, {"ids": list(user_ids)})).all())


def _version(row: Row[Any]) -> ReadVersion:
    return ReadVersion(
        digest=row.digest,
        name=row.name,
        email=row.email,
        email_since=row.email_since,
        category=row.category,
        timezone=row.timezone,
        enrolment=Enrolment(row.enrolled_at, row.enrolled_until, row.batches),
    )

"""Everything that the database says of one exam, read by one statement, as plain data."""

import json
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import asyncpg

from tests.faults.interleaving.building import Scene

DUMP = """
with paper as (select * from ias.exam_papers where exam_id = $1),
attempt as (select * from ias.attempts where exam_paper_id in (select id from paper)),
event as (
  select e.* from attempt a cross join lateral (
    select * from ias.response_events where attempt_id = a.id) e
)
select json_build_object(
  'exam', (select json_agg(r) from (select published_at, cancelled_at, released_at, results_version,
    opens_at, closes_at from ias.exams where id = $1) r),
  'papers', (select json_agg(r) from (select id, paper_id, starts_at, entry_closes_at, ends_at, closed_at,
    counts_for_merit from paper) r),
  'registrations', (select json_agg(r) from (select id, user_id, category from ias.registrations
    where exam_id = $1) r),
  'accommodations', (select json_agg(r) from (select user_id, candidate_group, extra_seconds
    from ias.accommodations where exam_id = $1) r),
  'attempts', (select json_agg(r) from (select id, user_id, exam_paper_id, paper_id, registration_id, number,
    practice, status, lease, started_at, accommodation_seconds, additions, paused_at, deadline_at,
    submitted_at, closed_by, voided_from from attempt) r),
  'events', (select json_agg(r) from (select attempt_id, question_id, lease, revision, answer, late
    from event) r),
  'results', (select json_agg(r) from (select attempt_id, results.cohort_id, results.user_id, counted,
    score_numerator::text, score_denominator::text, answers, outcomes, marks,
    marks_denominator::text, paper_keys.paper_id from ias.results
    join ias.paper_keys on paper_keys.id = key_id where attempt_id in (select id from attempt)) r),
  'histogram', (select json_agg(r) from (select cohort_id, numerator::text, denominator::text, candidates
    from ias.score_counts where cohort_id in (select id from paper) and candidates <> 0) r),
  'audit', (select json_agg(r) from (select action, attempt_id, reason, details
    from ias.audit_entries where exam_id = $1 and id >= $4) r),
  'messages', (select json_agg(r) from (select audience, user_id, type, data from ias.messages
    where published_at is null and number > $2 and room = 'exam:' || $1::text) r),
  'jobs', (select json_agg(r) from (select task, arguments, finished_at is not null as finished, error
    from ias.jobs where id >= $3) r),
  'releases', (select json_agg(r) from (select version, participants from ias.exam_releases
    where exam_id = $1) r),
  'official', (select json_agg(r) from (select version, registration_id, outcome, total_numerator::text,
    total_denominator::text, rank, percentile, category_rank, papers from ias.exam_results
    where exam_id = $1) r)
)
"""

Dump = dict[str, list[dict[str, Any]]]

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def read(connection: asyncpg.Connection, scene: Scene) -> Dump:
    """The rows of a case, by table."""
    found = await connection.fetchval(
        DUMP, scene.exam_id, scene.first_message, scene.first_job, scene.first_entry
    )
    dump = {table: rows or [] for table, rows in json.loads(found).items()}
    for row in dump["attempts"]:
        name = scene.world.names.get(UUID(row["user_id"]))
        if name is not None and row["number"] == 1:
            scene.attempts[name] = UUID(row["id"])
    for row in dump["registrations"]:
        name = scene.world.names.get(UUID(row["user_id"]))
        if name is not None:
            scene.registrations[name] = UUID(row["id"])
    return dump


def comparable(value: Any, labels: Mapping[str, str]) -> Any:
    """The same with names for ids and rows in an order of their own, so that two runs can be compared."""
    named = json.loads(_UUID.sub(lambda found: labels.get(found[0], "an id"), json.dumps(value)))
    return _ordered(named)


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _ordered(each) for key, each in value.items()}
    if isinstance(value, list):
        return sorted((_ordered(each) for each in value), key=lambda each: json.dumps(each, sort_keys=True))
    return value

"""Questions are found in each spelling of a word: joiners, nuktas and hyphens do not matter.

Revision: 0037
Follows: 0033
"""

from alembic import op

revision = "0037"
down_revision = "0033"
branch_labels = None
depends_on = None

# The same as `searchable` in the application. What is only in the first list is removed.
PLAIN_TEXT = r"""
create function ias.plain_text(said text) returns text
language sql immutable strict parallel safe as $$
  select translate(normalize(said, nfc), U&'\2010\2011\00AD\200B\200C\200D\200E\200F\2060\FEFF', '--')
$$
"""

# As in migration 0002; `value` is the text as it was typed.
TEXTS = """
  select 0::bigint as place, key as language, value as words from jsonb_each_text(said)
  union all
  select place, key, value
  from jsonb_array_elements(choices) with ordinality as choice (option, place),
    jsonb_each_text(option -> 'text')
"""
PLAIN_TEXTS = TEXTS.replace("value", "ias.plain_text(value)")

WORDS = """
create or replace function ias.question_words(said jsonb, choices jsonb) returns text
language sql immutable strict parallel safe as $$
  select string_agg(words, e'\\n' order by place, language collate "C") from ({texts}) as texts
$$
"""
SEARCH = """
create or replace function ias.question_search(said jsonb, choices jsonb, tags text[]) returns tsvector
language sql immutable strict parallel safe as $$
  select to_tsvector('pg_catalog.english', left(coalesce(
      string_agg(words, ' ') filter (where language = 'en'), ''), 60000))
    || to_tsvector('pg_catalog.hindi', left(concat_ws(' ', array_to_string(tags, ' '),
      string_agg(words, ' ') filter (where language = 'hi')), 60000))
    || to_tsvector('pg_catalog.simple', left(coalesce(
      string_agg(words, ' ') filter (where language not in ('en', 'hi')), ''), 60000))
  from ({texts}) as texts
$$
"""
WORDING = r"""
create or replace function ias.question_wording(said jsonb, choices jsonb) returns text
language sql immutable strict parallel safe as $$
  select string_agg(
    case when word ~ '[^\x01-\x7f]' then left(md5(lower(word)), 8) else word end, ' ' order by place, nth)
  from ({texts}) as texts,
    regexp_split_to_table(left(words, 20000), '[\s!-/:-@।]+') with ordinality as word (word, nth)
  where language = (
    select key from jsonb_object_keys(said) as key order by key <> 'en', key collate "C" limit 1
  )
$$
"""

# One statement, so that the table is rewritten once.
COMPUTED_AGAIN = """
alter table ias.question_versions
  drop column words, drop column search, drop column sketch,
  add column words text generated always as (ias.question_words(text, options)) stored,
  add column search tsvector generated always as (ias.question_search(text, options, tags)) stored,
  add column sketch integer[] generated always as (ias.question_sketch(text, options)) stored
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(PLAIN_TEXT)
    _compute_again(PLAIN_TEXTS)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _compute_again(TEXTS)
    op.execute("drop function ias.plain_text(text)")


def _compute_again(texts: str) -> None:
    for function in (WORDS, SEARCH, WORDING):
        op.execute(function.replace("{texts}", texts))
    op.execute(COMPUTED_AGAIN)
    op.create_index(
        "ix_question_versions_search", "question_versions", ["search"], schema="ias", postgresql_using="gin"
    )

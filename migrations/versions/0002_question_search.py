"""Questions are found by their words in several languages, and by their likeness to others.

Revision: 0002
Follows: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Where somebody has installed it already (Supabase: schema `extensions`), it stays there.
INSTALL_TRIGRAMS = "create extension if not exists pg_trgm with schema ias"
HOME_OF_TRIGRAMS = """
select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = 'pg_trgm'
"""
REMOVE_TRIGRAMS = """
do $$ begin
  if exists (
    select from pg_extension where extname = 'pg_trgm' and extnamespace = 'ias'::regnamespace
  ) then
    drop extension pg_trgm;
  end if;
end $$
"""

# All texts of a question by language: the question itself, then its options.
TEXTS = """
  select 0::bigint as place, key as language, value as words from jsonb_each_text(said)
  union all
  select place, key, value
  from jsonb_array_elements(choices) with ordinality as choice (option, place),
    jsonb_each_text(option -> 'text')
"""

# What is read with the eyes, in every language.
WORDS = f"""
create function ias.question_words(said jsonb, choices jsonb) returns text
language sql immutable strict parallel safe as $$
  select string_agg(words, e'\\n' order by place, language collate "C") from ({TEXTS}) as texts
$$
"""  # noqa: S608 -- no input in it

# Each language by its own dictionary; the one for Hindi knows English words in Latin letters too, which suits
# tags. A tsvector has at most a megabyte, and the longest question has more.
SEARCH = f"""
create function ias.question_search(said jsonb, choices jsonb, tags text[]) returns tsvector
language sql immutable strict parallel safe as $$
  select to_tsvector('pg_catalog.english', left(coalesce(
      string_agg(words, ' ') filter (where language = 'en'), ''), 60000))
    || to_tsvector('pg_catalog.hindi', left(concat_ws(' ', array_to_string(tags, ' '),
      string_agg(words, ' ') filter (where language = 'hi')), 60000))
    || to_tsvector('pg_catalog.simple', left(coalesce(
      string_agg(words, ' ') filter (where language not in ('en', 'hi')), ''), 60000))
  from ({TEXTS}) as texts
$$
"""  # noqa: S608 -- no input in it

# What two questions are compared by: one language, English where there is one. Whether pg_trgm sees letters
# in other scripts is up to the database's locale: words in them stand as hashes, which it sees everywhere.
WORDING = rf"""
create function ias.question_wording(said jsonb, choices jsonb) returns text
language sql immutable strict parallel safe as $$
  select string_agg(
    case when word ~ '[^\x01-\x7f]' then left(md5(lower(word)), 8) else word end, ' ' order by place, nth)
  from ({TEXTS}) as texts,
    regexp_split_to_table(left(words, 20000), '[\s!-/:-@।]+') with ordinality as word (word, nth)
  where language = (
    select key from jsonb_object_keys(said) as key order by key <> 'en', key collate "C" limit 1
  )
$$
"""  # noqa: S608 -- no input in it

# MinHash with one permutation: the trigrams fall into 196 buckets, each keeps its smallest hash, and seven
# buckets make a band. Of texts whose trigrams are alike to 0.8, 99 in 100 share two of the 28 bands, of those
# alike to 0.3 three in 100,000: an index of bands finds the pairs that are worth measuring. An index of the
# trigrams themselves takes 40 ms for a question among 20,000, this one half a millisecond.
SKETCH = """
create function ias.question_sketch(said jsonb, choices jsonb) returns integer[]
language sql immutable strict parallel safe as $$
  select array_agg(hashtext(band || ' ' || minima)) from (
    select bucket / 7 as band, string_agg(bucket || ':' || minimum, ' ' order by bucket) as minima
    from (
      select (hash & 2147483647) % 196 as bucket, min(hash) as minimum
      from (
        select hashtext(trigram) as hash
        from unnest({trigrams}.show_trgm(ias.question_wording(said, choices))) as trigram
      ) as hashes
      group by bucket
    ) as buckets
    group by band
  ) as bands
$$
"""

BANDS_IN_COMMON = """
create function ias.bands_in_common(one integer[], other integer[]) returns bigint
language sql immutable strict parallel safe as $$
  select count(*) from (select unnest(one) intersect select unnest(other)) as shared
$$
"""

# The extension's own function, wherever it is at home.
LIKENESS = """
create function ias.likeness(one text, other text) returns real
language sql immutable strict parallel safe as $$ select {trigrams}.similarity(one, other) $$
"""

FUNCTIONS = (
    "likeness(text, text)",
    "bands_in_common(integer[], integer[])",
    "question_sketch(jsonb, jsonb)",
    "question_wording(jsonb, jsonb)",
    "question_search(jsonb, jsonb, text[])",
    "question_words(jsonb, jsonb)",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute(INSTALL_TRIGRAMS)
    trigrams = op.get_bind().execute(sa.text(HOME_OF_TRIGRAMS)).scalar_one()
    for function in (WORDS, SEARCH, WORDING, SKETCH, BANDS_IN_COMMON, LIKENESS):
        op.execute(function.replace("{trigrams}", trigrams))
    # One statement, so that the table is rewritten once.
    op.execute(
        """
        alter table ias.question_versions
          add column words text generated always as (ias.question_words(text, options)) stored,
          add column search tsvector generated always as (ias.question_search(text, options, tags)) stored,
          add column sketch integer[] generated always as (ias.question_sketch(text, options)) stored
        """
    )
    op.create_index(
        "ix_question_versions_search",
        "question_versions",
        ["search"],
        schema="ias",
        postgresql_using="gin",
    )
    op.create_index(
        "ix_question_versions_sketch",
        "question_versions",
        ["sketch"],
        schema="ias",
        postgresql_using="gin",
        # An import looks for its own rows right after it wrote them: a list of pending ones would be long.
        postgresql_with={"fastupdate": "off"},
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_question_versions_sketch", table_name="question_versions", schema="ias")
    op.drop_index("ix_question_versions_search", table_name="question_versions", schema="ias")
    for column in ("sketch", "search", "words"):
        op.drop_column("question_versions", column, schema="ias")
    for function in FUNCTIONS:
        op.execute(f"drop function ias.{function}")
    op.execute(REMOVE_TRIGRAMS)

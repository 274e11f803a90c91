"""A part of a question's text is found by an index. A word that is rare was looked for in the whole bank.

The index locks `question_versions` against writes while it is built. Run it while nobody imports questions.

Revision: 0039
Follows: 0038
"""

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

HOME_OF_TRIGRAMS = """
select quote_ident(nspname) from pg_extension join pg_namespace on pg_namespace.oid = extnamespace
where extname = 'pg_trgm'
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    trigrams = op.get_bind().execute(sa.text(HOME_OF_TRIGRAMS)).scalar_one()
    op.create_index(
        "ix_question_versions_words",
        "question_versions",
        ["words"],
        schema="ias",
        postgresql_using="gin",
        postgresql_ops={"words": f"{trigrams}.gin_trgm_ops"},
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_question_versions_words", "question_versions", schema="ias")

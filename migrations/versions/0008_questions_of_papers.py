"""Which questions a frozen paper has, and who may place whose test in an exam (docs/decisions/0021).

A trigger fills `paper_questions`: a process of the version before this one publishes papers without knowing
the table, and what it publishes must be under the embargo too. The trigger is created before the backfill, in
the same transaction, so that no paper is missed.

Revision: 0008
Follows: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

FILL = """
    create function ias.fill_paper_questions() returns trigger language plpgsql as $$
    begin
      insert into ias.paper_questions (paper_id, question_id)
      select new.id, question_id::uuid from jsonb_object_keys(new.key) as question_id;
      return null;
    end $$
"""
FILL_AFTER_INSERT = """
    create trigger fill_paper_questions after insert on ias.papers
    for each row execute function ias.fill_paper_questions()
"""
BACKFILL = """
    insert into ias.paper_questions (paper_id, question_id)
    select papers.id, question_id::uuid
    from ias.papers cross join lateral jsonb_object_keys(papers.key) as question_id
"""
UNRELEASED = sa.text("released_at is null and cancelled_at is null")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "paper_questions",
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_paper_questions_paper_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["ias.questions.id"], name=op.f("fk_paper_questions_question_id")
        ),
        sa.PrimaryKeyConstraint("paper_id", "question_id", name=op.f("pk_paper_questions")),
        schema="ias",
    )
    op.create_index(
        "ix_paper_questions_question_id", "paper_questions", ["question_id"], unique=False, schema="ias"
    )
    op.execute(FILL)
    op.execute(FILL_AFTER_INSERT)
    op.execute(BACKFILL)
    op.create_table(
        "test_consents",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["granted_by"], ["ias.users.id"], name=op.f("fk_test_consents_granted_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["test_id"], ["ias.tests.id"], name=op.f("fk_test_consents_test_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_test_consents_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("test_id", "user_id", name=op.f("pk_test_consents")),
        schema="ias",
    )
    op.create_index(
        "ix_exams_unreleased", "exams", ["id"], unique=False, schema="ias", postgresql_where=UNRELEASED
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_exams_unreleased", table_name="exams", schema="ias", postgresql_where=UNRELEASED)
    op.drop_table("test_consents", schema="ias")
    op.execute("drop trigger fill_paper_questions on ias.papers")
    op.execute("drop function ias.fill_paper_questions()")
    op.drop_index("ix_paper_questions_question_id", table_name="paper_questions", schema="ias")
    op.drop_table("paper_questions", schema="ias")

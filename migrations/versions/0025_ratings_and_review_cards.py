"""Ratings of candidates and questions, abilities, review cards, and dismissed recommendations.

Revision: 0025
Follows: 0024
"""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

DOUBLE: sa.Double[float] = sa.Double()
TIME = sa.DateTime(timezone=True)

# Rows go with their results: by voiding, reopening and regrading. See models/ratings.py.
FUNCTION = """
    create function ias.withdraw_from_ratings() returns trigger language plpgsql as $$
    begin
      insert into ias.rating_withdrawals (applied) values (old.applied) on conflict do nothing;
      return null;
    end $$
"""
TRIGGER = """
    create trigger withdraw_from_ratings after delete on ias.attempt_figures
    for each row when (old.applied is not null) execute function ias.withdraw_from_ratings()
"""


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _create_ratings()
    _create_cards()
    op.execute("create sequence ias.rating_sequence")
    op.create_index(
        "ix_attempt_figures_applied",
        "attempt_figures",
        ["applied"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("applied is not null"),
    )
    op.create_index(
        "ix_attempt_figures_not_applied",
        "attempt_figures",
        ["attempt_id"],
        schema="ias",
        postgresql_where=sa.text("applied is null"),
    )
    op.execute(FUNCTION)
    op.execute(TRIGGER)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("drop trigger withdraw_from_ratings on ias.attempt_figures")
    op.execute("drop function ias.withdraw_from_ratings()")
    op.drop_index("ix_attempt_figures_not_applied", "attempt_figures", schema="ias")
    op.drop_index("ix_attempt_figures_applied", "attempt_figures", schema="ias")
    # Without ratings no attempt is taken in. A later upgrade takes all of them in again.
    op.execute("update ias.attempt_figures set applied = null where applied is not null")
    op.execute("drop sequence ias.rating_sequence")
    for table in (
        "dismissals",
        "rating_withdrawals",
        "review_cards",
        "subject_abilities",
        "question_ratings",
        "chapter_answers",
        "subject_ratings",
        "candidate_ratings",
    ):
        op.drop_table(table, schema="ias")


def _create_ratings() -> None:
    habits = (
        *("sure", "sure_right", "doubtful", "doubtful_right", "guesses", "guesses_right"),
        *("wrong", "blanks", "questions"),
    )
    op.create_table(
        "candidate_ratings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("rating", DOUBLE, nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("full_tests", sa.Integer(), nullable=False),
        *(sa.Column(name, DOUBLE, nullable=False) for name in habits),
        sa.Column("last_attempt_at", TIME, nullable=False),
        sa.Column("abilities_at", TIME, nullable=True),
        _reference("candidate_ratings", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_candidate_ratings")),
        schema="ias",
    )
    op.create_index(
        "ix_candidate_ratings_not_estimated",
        "candidate_ratings",
        ["user_id"],
        schema="ias",
        postgresql_where=sa.text("abilities_at is null"),
    )
    _create_of_place(
        "subject_ratings",
        "subject",
        sa.Column("rating", DOUBLE, nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
    )
    _create_of_place(
        "chapter_answers",
        "chapter",
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("right", DOUBLE, nullable=False),
    )
    _create_of_place(
        "subject_abilities",
        "subject",
        sa.Column("estimate", DOUBLE, nullable=False),
        sa.Column("standard_error", DOUBLE, nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        sa.Column("estimated_at", TIME, nullable=False),
    )
    op.create_table(
        "question_ratings",
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("rating", DOUBLE, nullable=False),
        sa.Column("answers", sa.Integer(), nullable=False),
        _reference("question_ratings", "question_id", "questions"),
        sa.PrimaryKeyConstraint("question_id", name=op.f("pk_question_ratings")),
        schema="ias",
    )
    op.create_table(
        "rating_withdrawals",
        sa.Column("applied", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("withdrawn_at", TIME, server_default=sa.func.clock_timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("applied", name=op.f("pk_rating_withdrawals")),
        schema="ias",
    )


def _create_cards() -> None:
    op.create_table(
        "review_cards",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("ground", sa.String(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("reviewed_at", TIME, nullable=False),
        sa.Column("stability", DOUBLE, nullable=False),
        sa.Column("difficulty", DOUBLE, nullable=False),
        sa.Column("reviews", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(
            "ground in ('missed', 'doubtful', 'guessed', 'known')", name=op.f("ck_review_cards_ground")
        ),
        sa.CheckConstraint("stability > 0", name=op.f("ck_review_cards_stability")),
        _reference("review_cards", "user_id", "users"),
        _reference("review_cards", "question_id", "questions"),
        _reference("review_cards", "attempt_id", "attempts"),
        sa.PrimaryKeyConstraint("user_id", "question_id", name=op.f("pk_review_cards")),
        schema="ias",
    )
    op.create_index("ix_review_cards_user_id_due_at", "review_cards", ["user_id", "due_at"], schema="ias")
    op.create_index("ix_review_cards_question_id", "review_cards", ["question_id"], schema="ias")
    op.create_index("ix_review_cards_attempt_id", "review_cards", ["attempt_id"], schema="ias")
    op.create_table(
        "dismissals",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("recommendation_id", sa.Uuid(), nullable=False),
        sa.Column("until_evidence", sa.Integer(), nullable=False),
        sa.Column("dismissed_at", TIME, nullable=False),
        _reference("dismissals", "user_id", "users"),
        sa.PrimaryKeyConstraint("user_id", "recommendation_id", name=op.f("pk_dismissals")),
        schema="ias",
    )


def _create_of_place(table: str, place: str, *columns: sa.Column[object]) -> None:
    """A table with a row for each candidate and subject or chapter."""
    op.create_table(
        table,
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(f"{place}_id", sa.Uuid(), nullable=False),
        *columns,
        _reference(table, "user_id", "users"),
        _reference(table, f"{place}_id", f"{place}s"),
        sa.PrimaryKeyConstraint("user_id", f"{place}_id", name=op.f(f"pk_{table}")),
        schema="ias",
    )
    op.create_index(f"ix_{table}_{place}_id", table, [f"{place}_id"], schema="ias")


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], [f"ias.{to}.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )

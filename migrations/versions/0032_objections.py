"""Objections to keys, and the keys that an exam shows before its release (docs/decisions/0076).

Revision: 0032
Follows: 0029
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032"
down_revision = "0029"
branch_labels = None
depends_on = None

SHOWN_KEYS = ("provisional_key_id", "final_key_id")


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in ("exams", "tests"):
        op.add_column(table, sa.Column("objections", postgresql.JSONB(), nullable=True), schema="ias")
    for column in SHOWN_KEYS:
        op.add_column("exam_papers", sa.Column(column, sa.Uuid(), nullable=True), schema="ias")
        op.create_foreign_key(
            op.f(f"fk_exam_papers_{column}"),
            "exam_papers",
            "paper_keys",
            [column],
            ["id"],
            source_schema="ias",
            referent_schema="ias",
        )
    _create_clusters()
    _create_objections()


def _create_clusters() -> None:
    op.create_table(
        "objection_clusters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("claimed_key", postgresql.JSONB(), nullable=False),
        sa.Column("accepted", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decisions", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "num_nulls(accepted, reason, decided_at) in (0, 3)", name=op.f("ck_objection_clusters_decision")
        ),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_objection_clusters_test_id")),
        sa.ForeignKeyConstraint(
            ["question_id"], ["ias.questions.id"], name=op.f("fk_objection_clusters_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["ias.users.id"],
            name=op.f("fk_objection_clusters_decided_by"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objection_clusters")),
        sa.UniqueConstraint(
            "test_id", "question_id", "claim", name=op.f("uq_objection_clusters_test_id_question_id_claim")
        ),
        schema="ias",
    )
    op.create_index(
        "ix_objection_clusters_test_id_number_id",
        "objection_clusters",
        ["test_id", "number", "id"],
        schema="ias",
    )


def _create_objections() -> None:
    op.create_table(
        "objections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("cluster_id", sa.Uuid(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("exam_paper_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("explanation", sa.String(), nullable=False),
        sa.Column("sources", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["ias.objection_clusters.id"], name=op.f("fk_objections_cluster_id")
        ),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_objections_test_id")),
        sa.ForeignKeyConstraint(
            ["exam_paper_id"], ["ias.exam_papers.id"], name=op.f("fk_objections_exam_paper_id")
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["ias.attempts.id"], name=op.f("fk_objections_attempt_id"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_objections_user_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objections")),
        sa.UniqueConstraint("cluster_id", "user_id", name=op.f("uq_objections_cluster_id_user_id")),
        schema="ias",
    )
    op.create_index("ix_objections_cluster_id_id", "objections", ["cluster_id", "id"], schema="ias")
    op.create_index(
        "ix_objections_user_id_test_id_id", "objections", ["user_id", "test_id", "id"], schema="ias"
    )
    op.create_index("ix_objections_attempt_id", "objections", ["attempt_id"], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("objections", schema="ias")
    op.drop_table("objection_clusters", schema="ias")
    for column in SHOWN_KEYS:
        op.drop_column("exam_papers", column, schema="ias")
    for table in ("tests", "exams"):
        op.drop_column(table, "objections", schema="ias")

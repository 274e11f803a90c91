"""Live exams: results by release, announcements, an audit, messages for sockets; time given is dated.

An attempt's two sums of extra and paused seconds become the list of what was given when: a timed section must
know. Nothing had written the sums.

Revision: 0004
Follows: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "messages",
        sa.Column("room", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("(audience = 'user') = (user_id is not null)", name=op.f("ck_messages_addressee")),
        sa.CheckConstraint("audience in ('everybody', 'staff', 'user')", name=op.f("ck_messages_audience")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_messages")),
        schema="ias",
    )
    op.create_index(
        "ix_messages_published_at",
        "messages",
        ["published_at"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("published_at is not null"),
    )
    op.create_index(
        "ix_messages_unpublished",
        "messages",
        ["id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("published_at is null"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["institute_id"], ["ias.institutes.id"], name=op.f("fk_audit_entries_institute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entries")),
        schema="ias",
    )
    op.create_index(
        "ix_audit_entries_exam_id_id",
        "audit_entries",
        ["exam_id", "id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("exam_id is not null"),
    )
    op.create_table(
        "announcements",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("text", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_announcements_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_announcements_exam_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcements")),
        schema="ias",
    )
    op.create_index(
        "ix_announcements_exam_id_id", "announcements", ["exam_id", "id"], unique=False, schema="ias"
    )
    op.create_table(
        "exam_releases",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("participants", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_exam_releases_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_exam_releases_exam_id")),
        sa.PrimaryKeyConstraint("exam_id", "version", name=op.f("pk_exam_releases")),
        schema="ias",
    )
    op.create_table(
        "exam_results",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Uuid(), nullable=False),
        sa.Column("roll_number", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("total_numerator", sa.Numeric(precision=60, scale=0), nullable=True),
        sa.Column("total_denominator", sa.Numeric(precision=60, scale=0), nullable=True),
        sa.Column("total", sa.String(), nullable=True),
        sa.Column("qualified", sa.Boolean(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("percentile", sa.Double(), nullable=True),
        sa.Column("category_rank", sa.Integer(), nullable=True),
        sa.Column("cutoff", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("papers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.CheckConstraint(
            "outcome in ('ranked', 'not_qualified', 'incomplete', 'absent')",
            name=op.f("ck_exam_results_outcome"),
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_exam_results_exam_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["ias.registrations.id"], name=op.f("fk_exam_results_registration_id")
        ),
        sa.PrimaryKeyConstraint("exam_id", "version", "registration_id", name=op.f("pk_exam_results")),
        schema="ias",
    )
    op.create_index(
        "ix_exam_results_merit",
        "exam_results",
        ["exam_id", "version", "rank", "roll_number"],
        unique=False,
        schema="ias",
    )
    op.add_column(
        "attempts",
        sa.Column("accommodation_seconds", sa.Integer(), server_default="0", nullable=False),
        schema="ias",
    )
    op.add_column(
        "attempts",
        sa.Column("additions", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        schema="ias",
    )
    op.drop_constraint(
        op.f("uq_attempts_user_id_test_id_exam_paper_id_number"), "attempts", schema="ias", type_="unique"
    )
    op.create_index(
        "uq_attempts_number",
        "attempts",
        ["user_id", "test_id", "exam_paper_id", "number"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("user_id is not null"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_index(
        "uq_attempts_official",
        "attempts",
        ["registration_id", "exam_paper_id"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("not practice and exam_paper_id is not null"),
    )
    op.drop_index("ix_attempts_exam_paper_id", table_name="attempts", schema="ias")
    op.create_index(
        "ix_attempts_exam_paper_id",
        "attempts",
        ["exam_paper_id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("exam_paper_id is not null"),
    )
    op.drop_column("attempts", "extra_seconds", schema="ias")
    op.drop_column("attempts", "paused_seconds", schema="ias")
    op.add_column(
        "exam_papers", sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True), schema="ias"
    )
    op.add_column(
        "exam_papers", sa.Column("opening_told_at", sa.DateTime(timezone=True), nullable=True), schema="ias"
    )
    op.add_column(
        "exam_papers", sa.Column("closing_told_at", sa.DateTime(timezone=True), nullable=True), schema="ias"
    )
    op.create_index(
        "ix_exam_papers_closing",
        "exam_papers",
        ["ends_at"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("closing_told_at is null"),
    )
    op.create_index(
        "ix_exam_papers_opening",
        "exam_papers",
        ["starts_at"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("opening_told_at is null"),
    )
    op.create_unique_constraint(
        op.f("uq_exam_papers_exam_id_test_id"), "exam_papers", ["exam_id", "test_id"], schema="ias"
    )
    op.add_column("exams", sa.Column("key_stage", sa.String(), nullable=True), schema="ias")
    op.add_column("exams", sa.Column("results_version", sa.Integer(), nullable=True), schema="ias")
    op.create_index("ix_exams_institute_id_id", "exams", ["institute_id", "id"], unique=False, schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_exams_institute_id_id", table_name="exams", schema="ias")
    op.drop_column("exams", "results_version", schema="ias")
    op.drop_column("exams", "key_stage", schema="ias")
    op.drop_constraint(op.f("uq_exam_papers_exam_id_test_id"), "exam_papers", schema="ias", type_="unique")
    op.drop_index(
        "ix_exam_papers_opening",
        table_name="exam_papers",
        schema="ias",
        postgresql_where=sa.text("opening_told_at is null"),
    )
    op.drop_index(
        "ix_exam_papers_closing",
        table_name="exam_papers",
        schema="ias",
        postgresql_where=sa.text("closing_told_at is null"),
    )
    op.drop_column("exam_papers", "closing_told_at", schema="ias")
    op.drop_column("exam_papers", "opening_told_at", schema="ias")
    op.drop_column("exam_papers", "closed_at", schema="ias")
    op.add_column(
        "attempts",
        sa.Column(
            "paused_seconds", sa.INTEGER(), server_default=sa.text("0"), autoincrement=False, nullable=False
        ),
        schema="ias",
    )
    op.add_column(
        "attempts",
        sa.Column(
            "extra_seconds", sa.INTEGER(), server_default=sa.text("0"), autoincrement=False, nullable=False
        ),
        schema="ias",
    )
    op.drop_index("ix_attempts_exam_paper_id", table_name="attempts", schema="ias")
    op.create_index("ix_attempts_exam_paper_id", "attempts", ["exam_paper_id"], unique=False, schema="ias")
    op.drop_index(
        "uq_attempts_official",
        table_name="attempts",
        schema="ias",
        postgresql_where=sa.text("not practice and exam_paper_id is not null"),
    )
    op.drop_index(
        "uq_attempts_number",
        table_name="attempts",
        schema="ias",
        postgresql_where=sa.text("user_id is not null"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_unique_constraint(
        op.f("uq_attempts_user_id_test_id_exam_paper_id_number"),
        "attempts",
        ["user_id", "test_id", "exam_paper_id", "number"],
        schema="ias",
        postgresql_nulls_not_distinct=True,
    )
    op.drop_column("attempts", "additions", schema="ias")
    op.drop_column("attempts", "accommodation_seconds", schema="ias")
    op.drop_index("ix_exam_results_merit", table_name="exam_results", schema="ias")
    op.drop_table("exam_results", schema="ias")
    op.drop_table("exam_releases", schema="ias")
    op.drop_index("ix_announcements_exam_id_id", table_name="announcements", schema="ias")
    op.drop_table("announcements", schema="ias")
    op.drop_index(
        "ix_audit_entries_exam_id_id",
        table_name="audit_entries",
        schema="ias",
        postgresql_where=sa.text("exam_id is not null"),
    )
    op.drop_table("audit_entries", schema="ias")
    op.drop_index(
        "ix_messages_unpublished",
        table_name="messages",
        schema="ias",
        postgresql_where=sa.text("published_at is null"),
    )
    op.drop_index(
        "ix_messages_published_at",
        table_name="messages",
        schema="ias",
        postgresql_where=sa.text("published_at is not null"),
    )
    op.drop_table("messages", schema="ias")

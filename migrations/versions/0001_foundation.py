"""The foundation: people, content, papers, exams, attempts, results and work.

Revision: 0001
Follows:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (  # in the order in which they can be dropped
    "results",
    "attempts",
    "test_questions",
    "question_versions",
    "exam_papers",
    "test_sections",
    "questions",
    "papers",
    "tests",
    "registrations",
    "passage_versions",
    "chapters",
    "accommodations",
    "subjects",
    "passages",
    "memberships",
    "media",
    "exams",
    "workers",
    "users",
    "score_counts",
    "revocations",
    "response_events",
    "jobs",
    "institutes",
)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "institutes",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_institutes")),
        sa.UniqueConstraint("slug", name=op.f("uq_institutes_slug")),
        schema="ias",
    )
    op.create_table(
        "jobs",
        sa.Column("task", sa.String(), nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "leased_until", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("deliveries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
        schema="ias",
    )
    op.create_index(
        "ix_jobs_due",
        "jobs",
        ["leased_until", "id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("finished_at is null"),
    )
    op.create_index(
        "ix_jobs_finished_at",
        "jobs",
        ["finished_at"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("finished_at is not null"),
    )
    op.create_table(
        "response_events",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("lease", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("answer", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("marked_for_review", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("time_spent_ms", sa.Integer(), server_default="0", nullable=False),
        sa.Column("confidence", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("late", sa.Boolean(), server_default="false", nullable=False),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "confidence in ('sure', 'doubtful', 'guess')", name=op.f("ck_response_events_confidence")
        ),
        sa.PrimaryKeyConstraint(
            "attempt_id", "question_id", "lease", "revision", name=op.f("pk_response_events")
        ),
        schema="ias",
        postgresql_partition_by="RANGE (attempt_id)",
    )
    # Monthly partitions are made ahead of time by the worker; no save may ever fail for want of one.
    op.execute("create table ias.response_events_default partition of ias.response_events default")
    op.create_table(
        "revocations",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.String(), nullable=True),
        sa.Column("except_session_id", sa.String(), nullable=True),
        sa.Column("issued_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
        schema="ias",
    )
    op.create_index("ix_revocations_created_at", "revocations", ["created_at"], unique=False, schema="ias")
    op.create_index("ix_revocations_expires_at", "revocations", ["expires_at"], unique=False, schema="ias")
    op.create_table(
        "score_counts",
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("numerator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("denominator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("candidates", sa.Integer(), nullable=False),
        sa.CheckConstraint("candidates >= 0", name=op.f("ck_score_counts_candidates")),
        sa.PrimaryKeyConstraint("cohort_id", "numerator", "denominator", name=op.f("pk_score_counts")),
        schema="ias",
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category", sa.String(), server_default="general", nullable=False),
        sa.Column("pwbd", sa.Integer(), nullable=True),
        sa.Column("target_year", sa.Integer(), nullable=True),
        sa.Column("language", sa.String(), server_default="en", nullable=False),
        sa.Column("timezone", sa.String(), server_default="Asia/Kolkata", nullable=False),
        sa.Column("avatar_url", sa.String(), nullable=True),
        sa.Column(
            "preferences", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("active", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "category in ('general', 'ews', 'obc', 'sc', 'st')", name=op.f("ck_users_category")
        ),
        sa.CheckConstraint("pwbd between 1 and 5", name=op.f("ck_users_pwbd")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_users")),
        schema="ias",
    )
    op.create_index(op.f("ix_users_email"), "users", ["email"], unique=False, schema="ias")
    op.create_table(
        "workers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workers")),
        schema="ias",
    )
    op.create_table(
        "exams",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("registration", sa.String(), server_default="required", nullable=False),
        sa.Column("cutoffs", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("registration in ('required', 'open')", name=op.f("ck_exams_registration")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_exams_window")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_exams_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["institute_id"], ["ias.institutes.id"], name=op.f("fk_exams_institute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exams")),
        schema="ias",
    )
    op.create_table(
        "media",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content_type", sa.String(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_media_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["institute_id"], ["ias.institutes.id"], name=op.f("fk_media_institute_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_media")),
        sa.UniqueConstraint("institute_id", "sha256", name=op.f("uq_media_institute_id_sha256")),
        schema="ias",
    )
    op.create_table(
        "memberships",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), server_default="student", nullable=False),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "role in ('student', 'author', 'evaluator', 'proctor', 'admin')", name=op.f("ck_memberships_role")
        ),
        sa.ForeignKeyConstraint(
            ["institute_id"], ["ias.institutes.id"], name=op.f("fk_memberships_institute_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_memberships_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sa.UniqueConstraint("institute_id", "user_id", name=op.f("uq_memberships_institute_id_user_id")),
        schema="ias",
    )
    op.create_index(
        "ix_memberships_staff",
        "memberships",
        ["institute_id", "role", "user_id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("role <> 'student'"),
    )
    op.create_index(op.f("ix_memberships_user_id"), "memberships", ["user_id"], unique=False, schema="ias")
    op.create_table(
        "passages",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("current_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["institute_id"], ["ias.institutes.id"], name=op.f("fk_passages_institute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passages")),
        schema="ias",
    )
    op.create_index(
        "uq_passages_institute_id_external_id",
        "passages",
        ["institute_id", "external_id"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("external_id is not null"),
    )
    op.create_table(
        "subjects",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["institute_id"], ["ias.institutes.id"], name=op.f("fk_subjects_institute_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subjects")),
        sa.UniqueConstraint("institute_id", "slug", name=op.f("uq_subjects_institute_id_slug")),
        schema="ias",
    )
    op.create_table(
        "accommodations",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("candidate_group", sa.String(), nullable=True),
        sa.Column("extra_seconds", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "candidate_group in ('pwbd', 'all')", name=op.f("ck_accommodations_candidate_group")
        ),
        sa.CheckConstraint(
            "num_nonnulls(user_id, candidate_group) = 1", name=op.f("ck_accommodations_one_target")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_accommodations_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_accommodations_exam_id")),
        sa.ForeignKeyConstraint(["user_id"], ["ias.users.id"], name=op.f("fk_accommodations_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accommodations")),
        schema="ias",
    )
    op.create_index(
        "uq_accommodations_exam_id_candidate_group",
        "accommodations",
        ["exam_id", "candidate_group"],
        unique=True,
        schema="ias",
    )
    op.create_index(
        "uq_accommodations_exam_id_user_id",
        "accommodations",
        ["exam_id", "user_id"],
        unique=True,
        schema="ias",
    )
    op.create_table(
        "chapters",
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["ias.chapters.id"], name=op.f("fk_chapters_parent_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["ias.subjects.id"], name=op.f("fk_chapters_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chapters")),
        sa.UniqueConstraint("subject_id", "slug", name=op.f("uq_chapters_subject_id_slug")),
        schema="ias",
    )
    op.create_index(op.f("ix_chapters_parent_id"), "chapters", ["parent_id"], unique=False, schema="ias")
    op.create_table(
        "passage_versions",
        sa.Column("passage_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("text", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("media", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_passage_versions_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["passage_id"],
            ["ias.passages.id"],
            name=op.f("fk_passage_versions_passage_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passage_versions")),
        sa.UniqueConstraint("passage_id", "number", name=op.f("uq_passage_versions_passage_id_number")),
        schema="ias",
    )
    op.create_table(
        "registrations",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("roll_number", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("pwbd", sa.Integer(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("pwbd between 1 and 5", name=op.f("ck_registrations_pwbd")),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_registrations_exam_id")),
        sa.ForeignKeyConstraint(["user_id"], ["ias.users.id"], name=op.f("fk_registrations_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_registrations")),
        sa.UniqueConstraint("exam_id", "roll_number", name=op.f("uq_registrations_exam_id_roll_number")),
        sa.UniqueConstraint("exam_id", "user_id", name=op.f("uq_registrations_exam_id_user_id")),
        schema="ias",
    )
    op.create_index("ix_registrations_user_id", "registrations", ["user_id"], unique=False, schema="ias")
    op.create_table(
        "tests",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="draft", nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("marking", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("shuffle", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("attempts_allowed", sa.Integer(), nullable=True),
        sa.Column("review", sa.String(), nullable=False),
        sa.Column("access", sa.String(), nullable=False),
        sa.Column("available_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("available_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paper_version", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("access in ('free', 'enrolled')", name=op.f("ck_tests_access")),
        sa.CheckConstraint(
            "kind in ('full', 'sectional', 'chapter', 'pyq', 'practice')", name=op.f("ck_tests_kind")
        ),
        sa.CheckConstraint(
            "review in ('after_submit', 'after_release', 'never')", name=op.f("ck_tests_review")
        ),
        sa.CheckConstraint("status in ('draft', 'published', 'archived')", name=op.f("ck_tests_status")),
        sa.CheckConstraint("attempts_allowed > 0", name=op.f("ck_tests_attempts_allowed")),
        sa.CheckConstraint("duration_seconds > 0", name=op.f("ck_tests_duration_seconds")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_tests_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["institute_id"], ["ias.institutes.id"], name=op.f("fk_tests_institute_id")),
        sa.ForeignKeyConstraint(["subject_id"], ["ias.subjects.id"], name=op.f("fk_tests_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tests")),
        schema="ias",
    )
    op.create_index(
        "ix_tests_institute_id_status_id",
        "tests",
        ["institute_id", "status", "id"],
        unique=False,
        schema="ias",
    )
    op.create_index(op.f("ix_tests_subject_id"), "tests", ["subject_id"], unique=False, schema="ias")
    op.create_table(
        "papers",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("description", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("duration_seconds", sa.Integer(), nullable=False),
        sa.Column("languages", postgresql.ARRAY(sa.TEXT()), nullable=False),
        sa.Column("marking", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("question_count", sa.Integer(), nullable=False),
        sa.Column("max_marks", sa.String(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("etag", sa.String(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["published_by"], ["ias.users.id"], name=op.f("fk_papers_published_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_papers_test_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_papers")),
        sa.UniqueConstraint("test_id", "version", name=op.f("uq_papers_test_id_version")),
        schema="ias",
    )
    op.create_table(
        "questions",
        sa.Column("institute_id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("chapter_id", sa.Uuid(), nullable=True),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("source_number", sa.Integer(), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="active", nullable=False),
        sa.Column("current_version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status in ('draft', 'active', 'retired')", name=op.f("ck_questions_status")),
        sa.ForeignKeyConstraint(["chapter_id"], ["ias.chapters.id"], name=op.f("fk_questions_chapter_id")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_questions_created_by"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["institute_id"], ["ias.institutes.id"], name=op.f("fk_questions_institute_id")
        ),
        sa.ForeignKeyConstraint(["subject_id"], ["ias.subjects.id"], name=op.f("fk_questions_subject_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_questions")),
        schema="ias",
    )
    op.create_index(
        "ix_questions_chapter_id_id", "questions", ["chapter_id", "id"], unique=False, schema="ias"
    )
    op.create_index(
        "ix_questions_fingerprint", "questions", ["institute_id", "fingerprint"], unique=False, schema="ias"
    )
    op.create_index(
        "ix_questions_institute_id_subject_id_id",
        "questions",
        ["institute_id", "subject_id", "id"],
        unique=False,
        schema="ias",
    )
    op.create_index(
        "uq_questions_institute_id_external_id",
        "questions",
        ["institute_id", "external_id"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("external_id is not null"),
    )
    op.create_index(
        "uq_questions_institute_id_source_number",
        "questions",
        ["institute_id", "source", "source_number"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("external_id is null and source is not null and source_number is not null"),
    )
    op.create_table(
        "test_sections",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("duration_seconds", sa.Integer(), nullable=True),
        sa.Column("locked", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("choose", sa.Integer(), nullable=True),
        sa.Column("marking", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["test_id"], ["ias.tests.id"], name=op.f("fk_test_sections_test_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_sections")),
        sa.UniqueConstraint(
            "test_id",
            "position",
            deferrable=True,
            initially="DEFERRED",
            name=op.f("uq_test_sections_test_id_position"),
        ),
        schema="ias",
    )
    op.create_table(
        "exam_papers",
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("entry_closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("qualifying_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("counts_for_merit", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "starts_at < entry_closes_at and entry_closes_at <= ends_at", name=op.f("ck_exam_papers_window")
        ),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_exam_papers_exam_id")),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_exam_papers_paper_id")),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_exam_papers_test_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exam_papers")),
        sa.UniqueConstraint("exam_id", "code", name=op.f("uq_exam_papers_exam_id_code")),
        schema="ias",
    )
    op.create_index("ix_exam_papers_test_id", "exam_papers", ["test_id"], unique=False, schema="ias")
    op.create_table(
        "question_versions",
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("text", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("options", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("key", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("explanation", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("difficulty", sa.String(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.TEXT()), server_default="{}", nullable=False),
        sa.Column("passage_id", sa.Uuid(), nullable=True),
        sa.Column("media", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "difficulty in ('easy', 'medium', 'hard')", name=op.f("ck_question_versions_difficulty")
        ),
        sa.CheckConstraint(
            "type in ('single_choice', 'multiple_choice', 'true_false', 'numeric', 'descriptive')",
            name=op.f("ck_question_versions_type"),
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["ias.users.id"],
            name=op.f("fk_question_versions_created_by"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["passage_id"], ["ias.passages.id"], name=op.f("fk_question_versions_passage_id")
        ),
        sa.ForeignKeyConstraint(
            ["question_id"],
            ["ias.questions.id"],
            name=op.f("fk_question_versions_question_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_question_versions")),
        sa.UniqueConstraint("question_id", "number", name=op.f("uq_question_versions_question_id_number")),
        schema="ias",
    )
    op.create_index(
        "ix_question_versions_tags",
        "question_versions",
        ["tags"],
        unique=False,
        schema="ias",
        postgresql_using="gin",
    )
    op.create_table(
        "test_questions",
        sa.Column("section_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("question_id", sa.Uuid(), nullable=False),
        sa.Column("marking", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["question_id"], ["ias.questions.id"], name=op.f("fk_test_questions_question_id")
        ),
        sa.ForeignKeyConstraint(
            ["section_id"],
            ["ias.test_sections.id"],
            name=op.f("fk_test_questions_section_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("section_id", "position", name=op.f("pk_test_questions")),
        schema="ias",
    )
    op.create_index(
        "ix_test_questions_question_id", "test_questions", ["question_id"], unique=False, schema="ias"
    )
    op.create_table(
        "attempts",
        sa.Column("test_id", sa.Uuid(), nullable=False),
        sa.Column("paper_id", sa.Uuid(), nullable=False),
        sa.Column("exam_paper_id", sa.Uuid(), nullable=True),
        sa.Column("registration_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("practice", sa.Boolean(), nullable=False),
        sa.Column("status", sa.String(), server_default="in_progress", nullable=False),
        sa.Column("lease", sa.Integer(), server_default="1", nullable=False),
        sa.Column("device", sa.String(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("extra_seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_seconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deadline_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "closed_by in ('candidate', 'deadline', 'staff')", name=op.f("ck_attempts_closed_by")
        ),
        sa.CheckConstraint(
            "status in ('in_progress', 'paused', 'submitted', 'graded', 'void')",
            name=op.f("ck_attempts_status"),
        ),
        sa.ForeignKeyConstraint(
            ["exam_paper_id"], ["ias.exam_papers.id"], name=op.f("fk_attempts_exam_paper_id")
        ),
        sa.ForeignKeyConstraint(["paper_id"], ["ias.papers.id"], name=op.f("fk_attempts_paper_id")),
        sa.ForeignKeyConstraint(
            ["registration_id"], ["ias.registrations.id"], name=op.f("fk_attempts_registration_id")
        ),
        sa.ForeignKeyConstraint(["test_id"], ["ias.tests.id"], name=op.f("fk_attempts_test_id")),
        sa.ForeignKeyConstraint(["user_id"], ["ias.users.id"], name=op.f("fk_attempts_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
        sa.UniqueConstraint(
            "user_id",
            "test_id",
            "exam_paper_id",
            "number",
            name=op.f("uq_attempts_user_id_test_id_exam_paper_id_number"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="ias",
    )
    op.create_index(
        op.f("ix_attempts_exam_paper_id"), "attempts", ["exam_paper_id"], unique=False, schema="ias"
    )
    op.create_index(
        "ix_attempts_overdue",
        "attempts",
        ["deadline_at"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("status = 'in_progress'"),
    )
    op.create_index(
        "ix_attempts_test_id_user_id", "attempts", ["test_id", "user_id"], unique=False, schema="ias"
    )
    op.create_index(
        "ix_attempts_ungraded",
        "attempts",
        ["id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("status = 'submitted'"),
    )
    op.create_index(
        "uq_attempts_running",
        "attempts",
        ["user_id", "test_id", "exam_paper_id"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("status in ('in_progress', 'paused')"),
        postgresql_nulls_not_distinct=True,
    )
    op.create_table(
        "results",
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("cohort_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("score_numerator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("score_denominator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("raw_numerator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("raw_denominator", sa.Numeric(precision=60, scale=0), nullable=False),
        sa.Column("scorecard", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("graded_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "score_denominator > 0 and raw_denominator > 0", name=op.f("ck_results_denominators")
        ),
        sa.ForeignKeyConstraint(
            ["attempt_id"], ["ias.attempts.id"], name=op.f("fk_results_attempt_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["user_id"], ["ias.users.id"], name=op.f("fk_results_user_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_results")),
        schema="ias",
    )
    op.create_index(
        "uq_results_counted",
        "results",
        ["cohort_id", "user_id"],
        unique=True,
        schema="ias",
        postgresql_where=sa.text("counted and user_id is not null"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    for table in TABLES:
        op.drop_table(table, schema="ias")

"""Who gets a certificate of an exam, and files with result sheets and certificates (docs/decisions/0080).

Revision: 0036
Follows: 0031
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0036"
down_revision = "0031"
branch_labels = None
depends_on = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "exams",
        sa.Column("certificates", sa.String(), server_default="none", nullable=False),
        schema="ias",
    )
    op.create_check_constraint(
        op.f("ck_exams_certificates"),
        "exams",
        "certificates in ('none', 'ranked', 'qualified', 'all')",
        schema="ias",
    )
    op.create_table(
        "result_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("exam_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("only", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("last_registration_id", sa.Uuid(), nullable=True),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("ready_at", TIME, nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("downloaded_at", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=False),
        sa.CheckConstraint("kind in ('result_sheets', 'certificates')", name=op.f("ck_result_files_kind")),
        sa.CheckConstraint("language in ('en', 'hi', 'both')", name=op.f("ck_result_files_language")),
        sa.CheckConstraint("done <= total", name=op.f("ck_result_files_done")),
        sa.ForeignKeyConstraint(["exam_id"], ["ias.exams.id"], name=op.f("fk_result_files_exam_id")),
        sa.ForeignKeyConstraint(
            ["created_by"], ["ias.users.id"], name=op.f("fk_result_files_created_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_result_files")),
        schema="ias",
    )
    for column in ("exam_id", "created_by", "expires_at"):
        op.create_index(f"ix_result_files_{column}", "result_files", [column], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_table("result_files", schema="ias")
    op.drop_constraint(op.f("ck_exams_certificates"), "exams", schema="ias")
    op.drop_column("exams", "certificates", schema="ias")

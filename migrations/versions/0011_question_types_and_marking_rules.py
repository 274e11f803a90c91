"""The form of a question type's name instead of a list of names; columns of new marking rules.

A section may have a minimum, a result says whether it qualifies, an exam paper may have qualifying
percentages by group, and an official result may be `disqualified`. What is stored keeps its meaning.

Revision: 0011
Follows: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAMES_BEFORE = "type in ('single_choice', 'multiple_choice', 'true_false', 'numeric', 'descriptive')"
FORM_OF_A_NAME = "type ~ '^[a-z][a-z_]{0,39}$'"
OUTCOMES_BEFORE = "outcome in ('ranked', 'not_qualified', 'incomplete', 'absent')"
OUTCOMES = "outcome in ('ranked', 'not_qualified', 'incomplete', 'absent', 'disqualified')"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _check("question_versions", "type", FORM_OF_A_NAME)
    _check("exam_results", "outcome", OUTCOMES)
    op.add_column("test_sections", sa.Column("minimum_marks", sa.String()), schema="ias")
    qualification = sa.Column("qualification", sa.String(), server_default="qualified", nullable=False)
    op.add_column("results", qualification, schema="ias")
    percents = sa.Column("group_percents", JSONB(), server_default="{}", nullable=False)
    op.add_column("exam_papers", percents, schema="ias")


def downgrade() -> None:
    """Fails, and changes nothing, where the version before could not read what is stored."""
    op.execute("set local lock_timeout = '5s'")
    op.drop_column("exam_papers", "group_percents", schema="ias")
    op.drop_column("results", "qualification", schema="ias")
    op.drop_column("test_sections", "minimum_marks", schema="ias")
    _check("exam_results", "outcome", OUTCOMES_BEFORE)
    _check("question_versions", "type", NAMES_BEFORE)


def _check(table: str, column: str, condition: str) -> None:
    name = f"ck_{table}_{column}"
    op.drop_constraint(name, table, schema="ias")
    op.execute(f"alter table ias.{table} add constraint {name} check ({condition})")

"""Question types are plug-ins: the database knows the form of their names, and no list of them.

Revision: 0011
Follows: 0010
"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NAMES_BEFORE = "type in ('single_choice', 'multiple_choice', 'true_false', 'numeric', 'descriptive')"
FORM_OF_A_NAME = "type ~ '^[a-z][a-z_]{0,39}$'"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _check_type(FORM_OF_A_NAME)


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    _check_type(NAMES_BEFORE)


def _check_type(condition: str) -> None:
    op.drop_constraint("ck_question_versions_type", "question_versions", schema="ias")
    op.execute(
        f"alter table ias.question_versions add constraint ck_question_versions_type check ({condition})"
    )

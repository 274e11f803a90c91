"""The session of a device, the age of an address, and deliveries that wait for the end of quiet hours.

A delivery that waits when this is applied is not marked, so it waits until the end that it has.

Revision: 0015
Follows: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.add_column("devices", sa.Column("session_id", sa.String(), nullable=True), schema="ias")
    since = sa.Column("email_since", sa.DateTime(timezone=True), nullable=True)
    op.add_column("users", since, schema="ias")
    op.add_column(
        "deliveries",
        sa.Column("deferred", sa.Boolean(), server_default="false", nullable=False),
        schema="ias",
    )
    op.create_index("ix_revocations_user_id", "revocations", ["user_id"], schema="ias")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index("ix_revocations_user_id", "revocations", schema="ias")
    op.drop_column("deliveries", "deferred", schema="ias")
    op.drop_column("users", "email_since", schema="ias")
    op.drop_column("devices", "session_id", schema="ias")

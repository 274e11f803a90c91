"""Notifications: inbox, deliveries by mail and push, devices, dead addresses, and what people wish.

Revision: 0006
Follows: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "dead_addresses",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_dead_addresses")),
        schema="ias",
    )
    op.create_table(
        "devices",
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dropped_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("platform in ('android', 'ios', 'web')", name=op.f("ck_devices_platform")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_devices_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_devices")),
        schema="ias",
    )
    op.create_index("ix_devices_user_id", "devices", ["user_id", "seen_at"], unique=False, schema="ias")
    op.create_table(
        "notification_settings",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("muted", postgresql.ARRAY(sa.String()), server_default="{}", nullable=False),
        sa.Column("quiet_from", sa.Time(), nullable=True),
        sa.Column("quiet_until", sa.Time(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(quiet_from, quiet_until) in (0, 2)", name=op.f("ck_notification_settings_quiet_hours")
        ),
        sa.CheckConstraint(
            "quiet_from <> quiet_until", name=op.f("ck_notification_settings_quiet_hours_are_some")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_notification_settings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_notification_settings")),
        schema="ias",
    )
    op.create_table(
        "notifications",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("dedupe_key", sa.String(), nullable=False),
        sa.Column("title", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("body", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["ias.users.id"], name=op.f("fk_notifications_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("user_id", "dedupe_key", name=op.f("uq_notifications_user_id_dedupe_key")),
        schema="ias",
    )
    op.create_index(
        "ix_notifications_unread",
        "notifications",
        ["user_id", "id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("read_at is null"),
    )
    op.create_index(
        "ix_notifications_user_id_id", "notifications", ["user_id", "id"], unique=False, schema="ias"
    )
    op.create_table(
        "deliveries",
        sa.Column("notification_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("status", sa.String(), server_default="waiting", nullable=False),
        sa.Column("urgent", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.CheckConstraint("channel in ('email', 'push')", name=op.f("ck_deliveries_channel")),
        sa.CheckConstraint("status in ('waiting', 'sent', 'dropped')", name=op.f("ck_deliveries_status")),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["ias.notifications.id"],
            name=op.f("fk_deliveries_notification_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint(
            "notification_id", "channel", "target", name=op.f("uq_deliveries_notification_id_channel_target")
        ),
        schema="ias",
    )
    op.create_index(
        "ix_deliveries_due",
        "deliveries",
        [sa.text("urgent desc"), "due_at", "id"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "ix_deliveries_ended",
        "deliveries",
        ["created_at"],
        unique=False,
        schema="ias",
        postgresql_where=sa.text("status <> 'waiting'"),
    )


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.drop_index(
        "ix_deliveries_ended",
        table_name="deliveries",
        schema="ias",
        postgresql_where=sa.text("status <> 'waiting'"),
    )
    op.drop_index(
        "ix_deliveries_due",
        table_name="deliveries",
        schema="ias",
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_table("deliveries", schema="ias")
    op.drop_index("ix_notifications_user_id_id", table_name="notifications", schema="ias")
    op.drop_index(
        "ix_notifications_unread",
        table_name="notifications",
        schema="ias",
        postgresql_where=sa.text("read_at is null"),
    )
    op.drop_table("notifications", schema="ias")
    op.drop_table("notification_settings", schema="ias")
    op.drop_index("ix_devices_user_id", table_name="devices", schema="ias")
    op.drop_table("devices", schema="ias")
    op.drop_table("dead_addresses", schema="ias")

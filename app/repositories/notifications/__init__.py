"""Inboxes, devices, and what people wish to be sent."""

from app.repositories.notifications.notifications import (
    MOST_DEVICES,
    DeviceRepository,
    Notice,
    NotificationRepository,
    PreferenceRepository,
)

__all__ = [
    "MOST_DEVICES",
    "DeviceRepository",
    "Notice",
    "NotificationRepository",
    "PreferenceRepository",
]

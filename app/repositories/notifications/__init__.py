"""Notifications, devices and notification preferences."""

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

"""Notifications, devices and notification preferences."""

from app.repositories.notifications.notifications import (
    MAX_DEVICES,
    DeviceRepository,
    NewDevice,
    Notice,
    NotificationRepository,
    PreferenceRepository,
)

__all__ = [
    "MAX_DEVICES",
    "DeviceRepository",
    "NewDevice",
    "Notice",
    "NotificationRepository",
    "PreferenceRepository",
]

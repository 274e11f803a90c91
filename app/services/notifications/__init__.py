"""Notifications: an inbox, mails and push messages.

Exams do not import this package. They add jobs such as `notify_registered` in their own transactions, and
the tasks call the functions here. One statement creates a notification for any number of users; a loop of
the workers sends mails and push messages.
"""

from app.repositories.notifications import NewDevice
from app.services.notifications.creating import (
    cancelled,
    enrolment_changed,
    extra_time_changed,
    postponed,
    registered,
    registration_changed,
    results_released,
    submitted,
    welcome,
)
from app.services.notifications.delivering import BATCH, deliver_due
from app.services.notifications.inbox import (
    count_unread,
    mark_all_read,
    mark_read,
    page,
    register_device,
    remove_device,
)
from app.services.notifications.key_notices import key_shown, objections_decided
from app.services.notifications.key_revisions import key_revised
from app.services.notifications.preferences import (
    Preferences,
    change,
    read_preferences,
    unsubscribe,
    unsubscribe_page,
)
from app.services.notifications.reminders import Reminders

__all__ = [
    "BATCH",
    "NewDevice",
    "Preferences",
    "Reminders",
    "cancelled",
    "change",
    "count_unread",
    "deliver_due",
    "enrolment_changed",
    "extra_time_changed",
    "key_revised",
    "key_shown",
    "mark_all_read",
    "mark_read",
    "objections_decided",
    "page",
    "postponed",
    "read_preferences",
    "register_device",
    "registered",
    "registration_changed",
    "remove_device",
    "results_released",
    "submitted",
    "unsubscribe",
    "unsubscribe_page",
    "welcome",
]

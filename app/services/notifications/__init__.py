"""What we tell people: an inbox, mails and push messages.

Exams do not know of this package. They write jobs (`notify_registered` and its like) in their own
transactions, and the tasks call the functions here. Creating is one statement for one person and for
thousands; sending is a loop of the workers.
"""

from app.services.notifications.creating import (
    cancelled,
    postponed,
    registered,
    results_released,
    submitted,
    welcome,
)
from app.services.notifications.delivering import BATCH, deliver_due
from app.services.notifications.inbox import mark_all_read, mark_read, page, register_device, remove_device
from app.services.notifications.preferences import (
    Wishes,
    change,
    unsubscribe,
    unsubscribe_page,
    wishes,
)
from app.services.notifications.reminders import Reminders

__all__ = [
    "BATCH",
    "Reminders",
    "Wishes",
    "cancelled",
    "change",
    "deliver_due",
    "mark_all_read",
    "mark_read",
    "page",
    "postponed",
    "register_device",
    "registered",
    "remove_device",
    "results_released",
    "submitted",
    "unsubscribe",
    "unsubscribe_page",
    "welcome",
    "wishes",
]

"""The Celery application. A Celery message has a job's id. The job is in PostgreSQL (docs/decisions/0016)."""

import sys

from celery import Celery
from celery.signals import setup_logging
from kombu.entity import Exchange, Queue

from app.config import get_settings
from app.core.telemetry import configure_logging

QUEUE = Queue("ias", Exchange(""), routing_key="ias")  # type: ignore[no-untyped-call]
TASK_SECONDS = 60
"""A task that takes longer fails. Its process is killed 30 s later if it does not react."""
LONG_TASK_SECONDS = 600
"""The same for `long_task`. Its message is delivered again after 120 s (`visibility_timeout`). The lock on
the row of the job prevents a second run.
"""
SECONDS_TO_REACT = 30

celery_app = Celery("ias", broker=get_settings().redis, include=["app.workers.tasks"])
celery_app.conf.update(
    task_queues=[QUEUE],
    task_default_queue=QUEUE.name,
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    task_time_limit=TASK_SECONDS + SECONDS_TO_REACT,
    task_serializer="json",
    accept_content=["json"],
    worker_prefetch_multiplier=1,
    worker_enable_remote_control=False,
    worker_enable_prefetch_count_reduction=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry=True,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    broker_transport_options={
        "visibility_timeout": 120,
        "socket_connect_timeout": 2,
        "socket_timeout": 10,
        "socket_keepalive": True,
    },
)


def use_our_logs(**_: object) -> None:
    """Use the application's logging configuration for Celery."""
    configure_logging(get_settings().log_level, console=sys.stdout.isatty())


setup_logging.connect(use_our_logs)

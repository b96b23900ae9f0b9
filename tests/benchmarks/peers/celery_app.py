"""Peer (a): Celery on RabbitMQ, the job in a task with a SQLAlchemy session.

As Celery's documentation has it for work that must not be lost: late acknowledgement, quorum queues, confirmed
publishing, JSON, a pool of as many processes as cores; results come back over RabbitMQ.
"""

from typing import Any

from celery import Celery
from celery.signals import worker_process_init
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from tests.benchmarks.peers.job import assign_each, assign_together
from tests.benchmarks.peers.models import AMQP_URL, QUEUE, database_url

app = Celery("peer", broker=AMQP_URL, backend="rpc://")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_default_queue=QUEUE,
    task_default_queue_type="quorum",
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=4,
    worker_send_task_events=False,
    broker_connection_retry_on_startup=True,
)
engine = create_engine(database_url("psycopg"), pool_size=1)
session_of = sessionmaker(engine)


@worker_process_init.connect
def _after_fork(**_: Any) -> None:
    engine.dispose(close=False)


@app.task
def assign_batch(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One transaction for a batch, what it needs read together."""
    with session_of.begin() as session:
        return assign_together(session, items)


@app.task
def assign_one_by_one(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One transaction for a batch, item by item."""
    session: Session
    with session_of.begin() as session:
        return assign_each(session, items)

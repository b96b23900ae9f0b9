"""Peer (c): FastAPI and SQLAlchemy without a queue; the request's own transaction writes."""

from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Response
from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from tests.benchmarks.peers import doors
from tests.benchmarks.peers.job import assign_together
from tests.benchmarks.peers.models import database_url

app = FastAPI()
_CONNECTIONS = 20
session_of = sessionmaker(create_engine(database_url("psycopg"), pool_size=_CONNECTIONS, max_overflow=0))


def session() -> Iterator[Session]:
    """A session whose transaction ends before the answer goes out."""
    with session_of.begin() as opened:
        yield opened


# Committed before the answer is sent: a caller that has its 201 may rely on it. No more at a time than connections, as
# FastAPI's documentation has it: the threads that wait for one also make the answers of who has one, and where all of
# them wait, nobody goes on.
Opened = Annotated[Session, Depends(session, scope="function", max_concurrency=_CONNECTIONS)]


@app.post(doors.BATCH)
def assign_many(batch: doors.Batch, opened: Opened) -> dict[str, Any]:
    """Assign a batch."""
    return {"items": assign_together(opened, doors.items_of(batch))}


@app.post(doors.SINGLE)
def assign_one(group_id: str, given: doors.Given, response: Response, opened: Opened) -> dict[str, Any]:
    """Assign one person."""
    return doors.single_answer(assign_together(opened, doors.one(group_id, given)), response)

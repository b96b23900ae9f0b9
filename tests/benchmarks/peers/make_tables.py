"""Makes the peers' tables."""

from sqlalchemy import create_engine

from tests.benchmarks.peers.models import Base, database_url

if __name__ == "__main__":
    Base.metadata.create_all(create_engine(database_url("psycopg")))

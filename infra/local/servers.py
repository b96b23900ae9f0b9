"""Which servers we use: those that SEATLINE_DATABASE_URL and SEATLINE_AMQP_URL name, else private ones.

Its one rule: a server that was named is used as it is and never started, stopped or configured.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from infra.local import packages, postgres_programs, rabbitmq
from infra.local.place import Place
from infra.local.postgres import PrivatePostgres
from infra.local.rabbitmq import PrivateRabbitmq
from infra.local.state import State

NO_BROKER = """
############################################################################
#  NO BROKER: RabbitMQ is not installed, so workers find work by polling.  #
#  Everything works; events stay in the outbox and reach no subscriber.    #
#  Debian, Ubuntu: apt-get install rabbitmq-server. Or: SEATLINE_AMQP_URL. #
############################################################################
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Urls:
    """Where the servers are; an empty text: there is none."""

    database: str
    amqp: str = ""
    management: str = ""

    def variables(self) -> dict[str, str]:
        """As the environment of a process of ours."""
        return {
            "SEATLINE_DATABASE_URL": self.database,
            "SEATLINE_AMQP_URL": self.amqp,
            "SEATLINE_MANAGEMENT_URL": self.management,
        }


def named(variable: str) -> str:
    """The URL a person set for a server, without a trailing slash; empty when they did not."""
    return os.environ.get(variable, "").rstrip("/")


def private_postgres(place: Place, state: State, options: Mapping[str, str] | None = None) -> PrivatePostgres:
    """The private Postgres of a place.

    Raises:
        NoPostgresError: this machine has no usable programs.
    """
    return PrivatePostgres(
        folder=place.postgres,
        logs=place.logs,
        state=state,
        programs=postgres_programs.find(),
        options=options or {},
    )


def private_rabbitmq(
    place: Place, state: State, *, install: bool, say: Callable[[str], None]
) -> PrivateRabbitmq | None:
    """The private RabbitMQ node of a place, installing the package where that is allowed; None when there is none."""
    programs = rabbitmq.find()
    if programs is None and install and packages.can_install():
        try:
            packages.install_rabbitmq(say)
        except packages.InstallError as error:
            say(str(error))
        programs = rabbitmq.find()
    if programs is None:
        return None
    return PrivateRabbitmq(folder=place.rabbitmq, logs=place.logs, state=state, programs=programs)

"""Events as AMQP messages: the stored bytes and the properties that never change between two publications."""

from collections.abc import Mapping
from dataclasses import dataclass

from aio_pika import DeliveryMode
from aiormq import spec

from infra.rabbitmq.burst import Outgoing

CONTENT_TYPE = "application/cloudevents-batch+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMessage:
    """One outbox row, ready to publish: a JSON array of CloudEvents of one type and one tenant."""

    message_id: str
    routing_key: str
    body: bytes
    headers: Mapping[str, str]


def encode_message(event_message: EventMessage) -> Outgoing:
    """The persistent message; it carries no time of sending, so that a second publication equals the first."""
    properties = spec.Basic.Properties(
        content_type=CONTENT_TYPE,
        headers=dict(event_message.headers),
        delivery_mode=DeliveryMode.PERSISTENT.value,
        message_id=event_message.message_id,
    )
    return Outgoing(body=event_message.body, properties=properties, routing_key=event_message.routing_key)

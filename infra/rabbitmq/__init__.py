"""Everything said to RabbitMQ: claims, replies and events. Nothing outside this package knows aio-pika."""

from infra.rabbitmq.broker import Broker
from infra.rabbitmq.claims import Claim, DeliveredClaim
from infra.rabbitmq.events import EventMessage
from infra.rabbitmq.subscription import Connected, ReceivedMessage, Subscription

__all__ = ["Broker", "Claim", "Connected", "DeliveredClaim", "EventMessage", "ReceivedMessage", "Subscription"]

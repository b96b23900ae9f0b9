"""Identifiers, each a type of its own so that one cannot be passed for another.

Numeric ids are the service's own; keys are the upstream's strings. Both are opaque to callers.
"""

from typing import NewType
from uuid import UUID

TenantId = NewType("TenantId", int)
UserId = NewType("UserId", int)
GroupId = NewType("GroupId", int)
RoleId = NewType("RoleId", int)
OperationId = NewType("OperationId", UUID)

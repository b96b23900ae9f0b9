"""What operators see and do under /v1/ops, part by part.

One rule: the console and the command line use these routes, so that whatever a person can do there a script can do.
"""

from api.native.ops import audit, dead_letters, events, fulfilment, operations, overview, unreadable, workers

PARTS = (overview, workers, fulfilment, events, operations, dead_letters, unreadable, audit)

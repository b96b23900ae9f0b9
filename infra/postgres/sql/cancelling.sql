-- Cancelling: the wish that a queued operation is not applied, which the tenant's next pass fulfils.

-- name: request_cancellation
-- Marks the operation, as long as it is queued. A pass that is applying it holds the row from its end on: this then waits
-- for the commit, and marks nothing.
UPDATE operation
   SET cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp())
 WHERE tenant_id = :tenant_id AND id = :id AND status = 'queued'
RETURNING id;

-- Workers as those who watch see them.

-- name: read_workers
-- Every worker's row, whether its session lock stands, the first operations that its pass has named, and the chunk it
-- was at when it last told. A worker that is dead is at nothing.
WITH living AS MATERIALIZED (
    SELECT CAST(objid AS bigint) AS id
      FROM pg_locks
     WHERE locktype = 'advisory' AND objsubid = 2 AND granted
       AND CAST(classid AS bigint) = CAST(:lock_class AS bigint)
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT worker.id, name, version, started_at, seen_at, leads_relay, living.id IS NOT NULL AS is_alive,
       cardinality(operation_ids) AS operation_count, named.operations,
       CASE WHEN chunk IS NOT NULL AND living.id IS NOT NULL
            THEN json_build_object('tenant', (SELECT key FROM tenant
                                               WHERE tenant.id = CAST(chunk ->> 'tenant_id' AS bigint)),
                                   'id', chunk ->> 'operation_id', 'kind', chunk ->> 'kind',
                                   'rows', chunk -> 'rows', 'done', chunk -> 'done', 'total', chunk -> 'total')
       END AS chunk
  FROM worker
  LEFT JOIN living ON living.id = worker.id
 CROSS JOIN LATERAL (
       SELECT coalesce(json_agg(json_build_object('tenant', tenant.key, 'id', operation.id, 'kind', operation.kind)
                                ORDER BY operation.seq), '[]') AS operations
         FROM unnest(tenant_ids[1:CAST(:most_operations AS integer)],
                     operation_ids[1:CAST(:most_operations AS integer)]) AS held (tenant_id, operation_id)
         JOIN operation ON operation.tenant_id = held.tenant_id AND operation.id = held.operation_id
         JOIN tenant ON tenant.id = held.tenant_id) AS named
 ORDER BY worker.id
 LIMIT CAST(:most_workers AS integer);

-- name: insert_tenant
-- A new tenant; no row comes back when the key is taken.
INSERT INTO tenant (key, org, name)
VALUES (:key, :org, :name)
    ON CONFLICT (key) DO NOTHING
RETURNING id, key, org, name, created_at;

-- name: insert_tenant_log
-- The row that every writer of the tenant locks. Made here once; only workers touch it afterwards.
INSERT INTO tenant_log (tenant_id)
VALUES (:tenant_id);

-- name: insert_member_role
-- The built-in role that a primary group gives; it exists before the tenant's first command.
INSERT INTO role (tenant_id, key, permission_scope, titles)
VALUES (:tenant_id, :key, :permission_scope, CAST(:titles AS json));

-- name: tenant_by_key
-- One tenant, by the key that callers use.
SELECT id, key, org, name, created_at
  FROM tenant
 WHERE key = :key;

-- name: list_tenants
-- A page of tenants in the order of their keys, after the given key.
SELECT id, key, org, name, created_at
  FROM tenant
 WHERE key > :after
 ORDER BY key
 LIMIT CAST(:limit AS integer);

-- name: insert_token
-- A new token: its hash, never the token. Tenant 0 is the operator.
INSERT INTO api_token (tenant_id, id, name, hash, scopes, roles, expires_at)
VALUES (:tenant_id, :id, :name, :hash, CAST(:scopes AS text[]), CAST(:roles AS text[]), :expires_at)
RETURNING created_at;

-- name: list_tokens
-- A page of the tokens of these tenants (0 = operator; null = all), in the order of the primary key.
SELECT api_token.tenant_id, api_token.id, tenant.key AS tenant, api_token.name, scopes, roles,
       api_token.created_at, expires_at, revoked_at
  FROM api_token
  LEFT JOIN tenant ON tenant.id = api_token.tenant_id
 WHERE (api_token.tenant_id, api_token.id) > (CAST(:after_tenant AS bigint), CAST(:after_id AS uuid))
   AND (CAST(:tenant_id AS bigint) IS NULL OR api_token.tenant_id = :tenant_id)
 ORDER BY api_token.tenant_id, api_token.id
 LIMIT CAST(:limit AS integer);

-- name: revoke_token
-- Ends the token at once; a second call keeps the first instant. By id alone, as the operator names it: this reads
-- the whole table, which holds a handful of rows a tenant and is asked this rarely.
UPDATE api_token
   SET revoked_at = coalesce(api_token.revoked_at, clock_timestamp())
  FROM api_token AS found
  LEFT JOIN tenant ON tenant.id = found.tenant_id
 WHERE found.id = :id
   AND api_token.tenant_id = found.tenant_id
   AND api_token.id = found.id
RETURNING api_token.tenant_id, api_token.id, tenant.key AS tenant, api_token.name, api_token.scopes, api_token.roles,
          api_token.created_at, api_token.expires_at, api_token.revoked_at, found.revoked_at IS NULL AS is_news;

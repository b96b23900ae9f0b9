-- name: find_tokens
-- The tokens behind these hashes that are good at this moment, by the database's clock. Asked for on every request:
-- nothing is remembered, so that a revocation takes effect at once.
SELECT api_token.hash, api_token.id, api_token.name, api_token.tenant_id, tenant.key, tenant.org, api_token.scopes,
       api_token.roles
  FROM api_token
  LEFT JOIN tenant ON tenant.id = api_token.tenant_id
 WHERE api_token.hash = ANY (CAST(:hashes AS bytea[]))
   AND api_token.revoked_at IS NULL
   AND (api_token.expires_at IS NULL OR api_token.expires_at > clock_timestamp())
   AND (api_token.tenant_id = 0 OR tenant.id IS NOT NULL);

-- name: find_tenants
-- The tenants of these keys that exist: whom a JWT may speak for.
SELECT id, key, org
  FROM tenant
 WHERE key = ANY (CAST(:keys AS text[]));

-- Audit: what operators have done, written in the transaction that does it.

-- name: insert_audit_entry
-- One entry; tenant 0 is nobody's.
INSERT INTO audit_entry (tenant_id, token_id, actor, action, subject, details)
VALUES (:tenant_id, :token_id, :actor, :action, :subject, CAST(:details AS json));

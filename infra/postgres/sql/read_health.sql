-- name: is_serving
-- Answers where the database serves this schema at all.
SELECT id FROM tenant LIMIT 1;

-- The resource policy of a secret, as sent; absent where there is none.
ALTER TABLE secrets ADD COLUMN resource_policy TEXT;

-- A service or region may be deleted while limits name it, as in Keystone, where they then name what is gone.
-- works-with-older-builds
ALTER TABLE registered_limit DROP CONSTRAINT registered_limit_service_id_fkey, DROP CONSTRAINT registered_limit_region_id_fkey;

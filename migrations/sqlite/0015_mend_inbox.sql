-- A keyed hash of where pushes to a device go: an endpoint is one device's, the last that subscribed with it.
ALTER TABLE inbox_device ADD COLUMN endpoint_index TEXT;
CREATE INDEX inbox_device_endpoint ON inbox_device (endpoint_index) WHERE endpoint_index IS NOT NULL;

-- With what a wrong PIN counts beside its own place: strangers' calls to an account together ('call'), the links of one
-- person together, a device or a known telephone alone.
ALTER TABLE wrong_pin ADD COLUMN scope TEXT NOT NULL DEFAULT 'call';

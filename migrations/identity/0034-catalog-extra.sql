-- What clients add to a catalogue's entries by themselves.
-- works-with-older-builds
ALTER TABLE service ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE endpoint ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE region ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';
ALTER TABLE policy ADD COLUMN extra jsonb NOT NULL DEFAULT '{}';

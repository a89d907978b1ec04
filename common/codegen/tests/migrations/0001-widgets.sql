-- Widgets: what a shop sells, "all" of it.
CREATE TABLE widget (
    id text PRIMARY KEY,
    name text CHECK (name <> '')
);

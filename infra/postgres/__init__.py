"""Everything that talks to Postgres: tables, migrations, named SQL blocks and the functions that run them."""

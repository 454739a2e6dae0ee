"""The database: its engines, tables and migrations, and the store that writes to it."""

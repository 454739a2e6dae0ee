"""The database: engines, tables, upgrades, and the store that writes to it."""

"""A study in one self-contained HTML page; `writing.write_report` writes it.

`people`, `games` and `connections` compute small tables from an export, `charts` draws them, and `page` lays
them out.
"""

"""From the store to what is analysed: tables, data sets for learning, films, reports.

`tables.export_tables` is where an export begins; `loading.load` is where an analysis does.
"""

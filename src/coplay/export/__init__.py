"""Exports of recorded data: tables, data sets for offline learning, films, reports, and the scrubber.

`tables.exporting.export_tables` writes the tables, and `loading.load` reads them for an analysis.
"""

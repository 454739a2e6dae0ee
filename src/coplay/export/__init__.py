"""What is made from recorded data: tables, data sets for offline learning, films, reports, the scrubber.

An export begins in `tables.exporting.export_tables`, and an analysis in `loading.load`.
"""

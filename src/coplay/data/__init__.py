"""What a study records: the batches that browsers upload, the database, and the schema of an export.

Browsers load `batches` and `spaces`, and this file with them, so it imports nothing.
"""

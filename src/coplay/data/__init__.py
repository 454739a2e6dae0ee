"""What a study leaves behind: the batches of the browsers, the store, and tables for analysis.

`batches` runs in the browsers too, so nothing is imported here.
"""

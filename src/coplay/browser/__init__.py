"""The Python that runs in the participant's browser worker, and in headless peers.

`driver` performs a session's effects on a game. `worker` connects it to the page, and is the only module that
imports `pyodide`; everything else also runs in CPython, where it is tested.
"""

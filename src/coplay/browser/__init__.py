"""The Python that runs in the participant's browser worker.

`driver` performs a session's effects on a game and is free of JavaScript, so that it is tested in CPython;
`worker` is the glue to the page and the only place that imports `pyodide`.
"""

"""Every message between server and page, and between page and worker, as a dataclass.

The dataclasses are the one definition of these messages. `tools/messages.py` writes the JSON Schema
(`protocol/messages.schema.json`) and the TypeScript types (`web/src/protocol/messages.ts`) from them. The
datagrams between peers are not here: they are bytes, described in `protocol/datagrams.md`.

This package imports the standard library alone, because it also runs in the browser's Python. It re-exports
nothing, so that a page loads only the modules that it uses.
"""

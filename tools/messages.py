"""Writes the JSON Schema and the TypeScript types of all messages, from the dataclasses in coplay.messages.

Usage: python tools/messages.py [--check]

With `--check` nothing is written; the exit code is 1 if a file is stale.

Both texts are generated here because they need the same few facts. A library such as pydantic generates only
the JSON Schema, and does not know which fields may be omitted or are objects of the browser.
"""

import ast
import dataclasses
import importlib
import inspect
import json
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from types import ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from coplay.messages.encoding import BrowserType, Nullable

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = ROOT / "protocol" / "messages.schema.json"
TYPES = ROOT / "web" / "src" / "protocol" / "messages.ts"
MODULES = (
    *("study", "http", "game", "signals", "to_page", "to_server"),
    *("to_worker", "from_python", "from_worker"),
)
BROWSERS_OWN = {"IceServer": "RTCIceServer", "IceCandidate": "RTCIceCandidateInit"}
"""Messages for which TypeScript has a type already."""
EVENTS = {
    "ServerEvent": (
        "to_page",
        "ToPage",
        "Every event from the server to a page, except the bytes of `datagram`.",
    ),
    "PageEvent": (
        "to_server",
        "ToServer",
        "Every event from a page to the server, except the bytes of `datagram`.",
    ),
}
LINE_WIDTH = 110
_NAMES = {str: ("string", "string"), bool: ("boolean", "boolean"), int: ("integer", "number")}
_NAMES |= {float: ("number", "number"), NoneType: ("null", "null")}


class Field(NamedTuple):
    """One field of a message."""

    name: str
    hint: Any
    optional: bool
    doc: str


class Messages:
    """All dataclasses and named types of the package, in the order of their modules."""

    def __init__(self) -> None:
        self.classes: list[type] = []
        self.aliases: dict[str, tuple[Any, str]] = {}
        self._docs: dict[str, dict[str, str]] = {}
        for name in MODULES:
            self._read(importlib.import_module(f"coplay.messages.{name}"))

    def fields(self, message: type, *, inherited: bool) -> list[Field]:
        """Return the fields of a message, those of its base class first."""
        hints = get_type_hints(message, include_extras=True)
        own = inspect.get_annotations(message)
        docs = {
            name: doc for base in message.__mro__ for name, doc in self._docs.get(base.__name__, {}).items()
        }
        return [
            Field(
                field.name,
                hints[field.name],
                field.default is None,
                docs.get(field.name, ""),
            )
            for field in dataclasses.fields(message)
            if inherited or field.name in own
        ]

    def alias_of(self, hint: Any) -> str | None:
        """Return the name of a type, or None if it has none."""
        return next((name for name, (alias, _) in self.aliases.items() if alias == hint), None)

    def events(self, direction: str) -> dict[str, Any]:
        """Return the type of each event's data, by the event's name."""
        found: dict[str, list[type]] = defaultdict(list)
        for message in get_args(self.aliases[direction][0]):
            found[message.EVENT].append(message)
        return {event: Union[tuple(messages)] for event, messages in found.items()}  # noqa: UP007

    def _read(self, module: ModuleType) -> None:
        body = ast.parse(inspect.getsource(module)).body
        documented = dict(_documented(body))
        for node in body:
            if isinstance(node, ast.ClassDef):
                self.classes.append(getattr(module, node.name))
                self._docs[node.name] = dict(_documented(node.body))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                name = node.target.id
                self.aliases[name] = (getattr(module, name), documented[name])


def _documented(body: list[ast.stmt]) -> list[tuple[str, str]]:
    """Return the names that are annotated in a body, with the docstring that follows each."""
    return [
        (node.target.id, inspect.cleandoc(str(after.value.value)))
        for node, after in pairwise(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
    ]


def _unwrap(hint: Any) -> tuple[Any, Any]:
    """Return a type without its marker, and the marker."""
    return get_args(hint)[:2] if get_origin(hint) is Annotated else (hint, None)


def _class_name(hint: Any) -> str | None:
    return str(hint.__name__) if dataclasses.is_dataclass(hint) and isinstance(hint, type) else None


def _members(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)


def _given(field: Field) -> tuple[Any, Any]:
    """Return the type of a field that is present, and its marker; only marked optional fields may be null."""
    hint, marker = _unwrap(field.hint)
    if field.optional and not isinstance(marker, Nullable):
        hint = Union[tuple(member for member in _members(hint) if member is not NoneType)]  # noqa: UP007
    return hint, marker


# JSON Schema


def schema(messages: Messages) -> str:
    """Return the JSON Schema (2020-12) of all messages."""
    definitions: dict[str, Any] = {}
    for message in messages.classes:
        definitions[message.__name__] = _object(messages, message)
    for name, (hint, doc) in messages.aliases.items():
        definitions[name] = {"description": doc, **_schema(messages, hint, name)}
    for name, (_, direction, doc) in EVENTS.items():
        definitions[name] = {
            "description": doc,
            "oneOf": [
                {
                    "type": "object",
                    "properties": {"event": {"const": event}, "data": _schema(messages, data)},
                    "required": ["event", "data"],
                }
                for event, data in messages.events(direction).items()
            ],
        }
    whole = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Generated by tools/messages.py from src/coplay/messages; do not edit.",
        "title": "Messages of coplay",
        "description": "One definition per message. A field with x-browser-type crosses between "
        "page and worker as an object of the browser, not as JSON.",
        "$defs": definitions,
    }
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _object(messages: Messages, message: type) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    fields = messages.fields(message, inherited=True)
    for field in fields:
        hint, marker = _given(field)
        if isinstance(marker, BrowserType):
            properties[field.name] = {"x-browser-type": marker.typescript, "description": field.doc}
        else:
            properties[field.name] = {**_schema(messages, hint), "description": field.doc}
    return {
        "description": _summary(message),
        "type": "object",
        "properties": properties,
        "required": [field.name for field in fields if not field.optional],
        "additionalProperties": False,
    }


def _schema(messages: Messages, hint: Any, within: str = "") -> dict[str, Any]:
    hint, _ = _unwrap(hint)
    name = _class_name(hint) or messages.alias_of(hint)
    if name and name != within:
        return {"$ref": f"#/$defs/{name}"}
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return {"anyOf": [_schema(messages, member) for member in arguments]}
    if origin is Literal:
        return {"const": arguments[0]} if len(arguments) == 1 else {"enum": list(arguments)}
    if origin is tuple and arguments[-1] is Ellipsis:
        return {"type": "array", "items": _schema(messages, arguments[0])}
    if origin is tuple:
        each = [_schema(messages, member) for member in arguments]
        return {"type": "array", "prefixItems": each, "items": False, "minItems": len(each)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(messages, arguments[1])}
    return {"type": _NAMES[hint][0]}


# TypeScript


def typescript(messages: Messages) -> str:
    """Return the TypeScript types of all messages."""
    parts = [
        "/**\n * Every message between server and page, and between page and worker.\n *\n"
        " * Generated by tools/messages.py from src/coplay/messages; do not edit.\n */\n"
    ]
    for message in messages.classes:
        if message.__name__ not in BROWSERS_OWN:
            parts.append(_interface(messages, message))
    for name, (hint, doc) in messages.aliases.items():
        parts.append(f"/** {doc} */\n{_alias(name, _typescript_members(messages, hint, name))}")
    for name, (_, direction, doc) in EVENTS.items():
        lines = [
            f"  {event}: {_typescript(messages, data)};" for event, data in messages.events(direction).items()
        ]
        parts.append(f"/** {doc} */\nexport interface {name}s {{\n" + "\n".join(lines) + "\n}\n")
    return "\n".join(parts)


def _interface(messages: Messages, message: type) -> str:
    head = f"/** {_summary(message)} */\nexport "
    base = message.__base__
    extends = f" extends {base.__name__}" if dataclasses.is_dataclass(base) else ""
    fields = messages.fields(message, inherited=False)
    if not fields:
        return f"{head}type {message.__name__} = Record<string, never>;\n"
    lines: list[str] = []
    for field in fields:
        hint, marker = _given(field)
        type_name = marker.typescript if isinstance(marker, BrowserType) else _typescript(messages, hint)
        if field.name != "kind":
            lines.append(f"  /** {field.doc} */")
        lines.append(f"  {field.name}{'?' if field.optional else ''}: {type_name};")
    return f"{head}interface {message.__name__}{extends} {{\n" + "\n".join(lines) + "\n}\n"


def _alias(name: str, members: list[str]) -> str:
    line = f"export type {name} = {' | '.join(members)};"
    if len(line) <= LINE_WIDTH:
        return f"{line}\n"
    return f"export type {name} =\n  | " + "\n  | ".join(members) + ";\n"


def _typescript(messages: Messages, hint: Any) -> str:
    hint, _ = _unwrap(hint)
    return messages.alias_of(hint) or " | ".join(_typescript_members(messages, hint))


def _typescript_members(messages: Messages, hint: Any, within: str = "") -> list[str]:
    hint, _ = _unwrap(hint)
    if within == "" and (name := messages.alias_of(hint)):
        return [name]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        return [part for member in arguments for part in _typescript_members(messages, member)]
    if origin is Literal:
        return [f"'{value}'" for value in arguments]
    if origin is tuple and arguments[-1] is Ellipsis:
        item = _typescript(messages, arguments[0])
        return [f"({item})[]" if " " in item else f"{item}[]"]
    if origin is tuple:
        return [f"[{', '.join(_typescript(messages, member) for member in arguments)}]"]
    if origin is dict:
        return [f"Record<string, {_typescript(messages, arguments[1])}>"]
    if class_name := _class_name(hint):
        return [BROWSERS_OWN.get(class_name, class_name)]
    return [_NAMES[hint][1]]


def _summary(message: type) -> str:
    return (inspect.getdoc(message) or "").partition("\n\n")[0]


def main(arguments: list[str]) -> int:
    """Write the files, or check them; return the exit code."""
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    messages = Messages()
    texts = {SCHEMA: schema(messages), TYPES: typescript(messages)}
    stale = [path for path, text in texts.items() if not path.is_file() or path.read_text("utf-8") != text]
    if arguments:
        for path in stale:
            print(
                f"{path.relative_to(ROOT)} is stale: run `make messages` and commit the result.",
                file=sys.stderr,
            )
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(texts[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Checks messages against protocol/messages.schema.json."""

import json
from functools import cache
from pathlib import Path
from typing import Any

SCHEMA = Path(__file__).parents[2] / "protocol" / "messages.schema.json"


@cache
def validator(definition: str) -> Any:
    """Return a validator of one definition of the schema."""
    from jsonschema import Draft202012Validator

    schema = json.loads(SCHEMA.read_text("utf-8"))
    return Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": schema["$defs"]})


def faults(definition: str, message: Any) -> list[str]:
    """Return what is wrong with a message; an empty list if it fits its definition."""
    return [f"{definition}: {error.message}" for error in validator(definition).iter_errors(message)]

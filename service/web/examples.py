"""Examples for the API's description, made from the schemas, so that they are never out of step with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_REFS = "#/components/schemas/"
_KNOWN: Mapping[str, Any] = {
    "assignedInstanceName": "support-7",
    "actor": "token:operations",
    "agent": "curl/8.5",
    "at": "2026-01-31T12:00:00.000Z",
    "group": "br",
    "host": "192.0.2.7",
    "id": "p-7f3a",
    "instance": "support-7",
    "instanceName": "support-7",
    "labels": ["mobile"],
    "name": "support-7",
    "password": None,
    "port": 8080,
    "protocol": "http",
    "proxyId": "p-7f3a",
    "server": "default",
    "total": 4000,
    "username": "customer-7",
}
_WORDS = {"integer": 1, "number": 1.5, "boolean": False, "string": "text", "null": None}
_FORMATS = {"date-time": "2026-01-31T12:00:00.000Z"}


def example_of(schema: Mapping[str, Any], known: Mapping[str, Any], name: str = "") -> Any:
    """A value that ``schema`` takes, with the words of this product where the property ``name`` has some. ``known``
    are the schemas that it refers to."""
    match schema:
        case {"$ref": ref}:
            return example_of(known[ref.removeprefix(_REFS)], known, name)
        case {"const": value} | {"enum": [value, *_]}:
            return value
        case {"anyOf": [first, *_]}:
            return example_of(first, known, name)
    kind = schema.get("type", "null")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        properties = schema.get("properties", {})
        return {one: example_of(properties[one], known, one) for one in properties}
    if kind == "array":
        return _KNOWN[name] if name in _KNOWN else [example_of(schema["items"], known)]
    value = _KNOWN.get(name, _FORMATS.get(schema.get("format", ""), _WORDS[kind]))
    return max(value, schema["minimum"]) if "minimum" in schema else value

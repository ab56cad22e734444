"""The tables of the chapters on the protocol, drawn up from the table of endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from trackspec.protocol.artifact_endpoints import ARTIFACT_ENDPOINTS
from trackspec.protocol.endpoint import BASE, Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec.protocol.kinds import Items, Kind, Unsupported
from trackspec.protocol.message import PAIR, Field, Message


def with_tables(chapter: str) -> str:
    """The chapter with its tables as they are to be."""
    for name, lines in (
        ("endpoints", endpoint_table()),
        ("messages", message_table()),
        ("artifact endpoints", artifact_endpoint_table()),
    ):
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        table = "\n".join(lines)
        chapter = re.sub(f"{begin}.*{end}", lambda _, told=f"{begin}\n{table}\n{end}": told, chapter, flags=re.S)
    return chapter


def endpoint_table() -> Iterator[str]:
    """The rows of the endpoints that are MLflow's too."""
    yield "| Call | Request | Fields | Answer | Repeatable |"
    yield "|---|---|---|---|---|"
    for endpoint in ENDPOINTS:
        if endpoint.base == BASE:
            request = f"{' or '.join(endpoint.methods)} `{endpoint.path}`"
            fields = ", ".join(map(_field, endpoint.request.fields))
            answer = ", ".join(f"`{name}`" for name in endpoint.answer.kinds) or "none"
            yield f"| `{endpoint.name}` | {request} | {fields} | {answer} | {_repeatable(endpoint)} |"


def artifact_endpoint_table() -> Iterator[str]:
    """The rows of the endpoints for artifacts."""
    yield "| What is asked for | Request | Fields | Answer |"
    yield "|---|---|---|---|"
    for endpoint in ARTIFACT_ENDPOINTS:
        fields = ", ".join(
            _field(item) for item in endpoint.request.fields if not isinstance(item.kind, Unsupported)
        )
        body = "the bytes of the file" if endpoint.takes_file else fields or "none"
        told = "the bytes of the file"
        if endpoint.answer is not None:
            told = ", ".join(_field(item) for item in endpoint.answer.fields) or "none"
        yield f"| {endpoint.summary} | {endpoint.method} `{endpoint.paths[0]}` | {body} | {told} |"


def message_table() -> Iterator[str]:
    """The rows of the messages that fields and answers hold, and of the fields of requests."""
    yield "| Field of a request | Holds |"
    yield "|---|---|"
    for name, holding in sorted(_request_fields().items()):
        told = [word if word == holding[-1][0] else f"{word} in `{path}`" for word, path in holding]
        yield f"| `{name}` | {', '.join(dict.fromkeys(told))} |"
    yield "| all others | text |"
    yield ""
    yield "| Message | Fields |"
    yield "|---|---|"
    for message in sorted(_messages().values(), key=lambda message: message.name):
        fields = ", ".join(f"{_field(item)} {_told(item.kind)}" for item in message.fields)
        yield f"| {message.name} | {fields} |"


def _repeatable(endpoint: Endpoint) -> str:
    return "with a key" if endpoint.creates else "yes" if endpoint.repeatable else "no"


def _field(field: Field) -> str:
    if field.required:
        return f"`{field.name}`"
    default = field.default.name if isinstance(field.default, Enum) else field.default
    shown = isinstance(default, (int, str))
    return f"*`{field.name}`*" + (f" ({default if default != '' else 'empty'})" if shown else "")


def _told(kind: Kind) -> str:
    """What a field holds, in words."""
    if isinstance(kind, Unsupported):
        return "not specified"
    return _told_by(kind.schema())


def _told_by(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if "enum" in schema:
        return " or ".join(f"`{word}`" for word in schema["enum"])
    if "oneOf" in schema:
        return "double"
    if schema["type"] == "array":
        return f"list of {_told_by(schema['items'])}"
    return {"string": "text", "integer": "int64"}[schema["type"]]


def _request_fields() -> dict[str, list[tuple[str, str]]]:
    """For each field of a request that is not everywhere a text, what it holds at which path."""
    found: dict[str, list[tuple[str, str]]] = {}
    for endpoint in ENDPOINTS:
        for item in endpoint.request.fields:
            if endpoint.base == BASE and not isinstance(item.kind, Unsupported):
                found.setdefault(item.name, []).append((_told(item.kind), endpoint.path))
    return {name: holding for name, holding in found.items() if {word for word, _ in holding} != {"text"}}


def _messages() -> dict[str, Message]:
    """The messages within requests and answers, by name."""
    found: dict[str, Message] = {PAIR.name: PAIR}

    def look(kind: Any) -> None:
        if isinstance(kind, Message) and kind.name not in found:
            found[kind.name] = kind
            for item in kind.fields:
                look(item.kind)
        elif isinstance(kind, Items):
            look(kind.item)
        elif hasattr(kind, "points"):
            look(kind.points)

    for endpoint in ENDPOINTS:
        for kind in (*(item.kind for item in endpoint.request.fields), *endpoint.answer.kinds.values()):
            look(kind)
    return found

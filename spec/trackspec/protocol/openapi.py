"""The OpenAPI document of the protocol, drawn up from the table of endpoints."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from trackspec.catalogue import SPEC_VERSION
from trackspec.errors import ErrorCode
from trackspec.limits import MAX_IDEMPOTENCY_KEY_LENGTH
from trackspec.protocol import artifact_endpoints, entities
from trackspec.protocol.artifact_endpoints import ARTIFACT_ENDPOINTS, ArtifactEndpoint
from trackspec.protocol.endpoint import KEY_HEADER, Answer, Endpoint
from trackspec.protocol.endpoints import ENDPOINTS
from trackspec.protocol.kinds import Items, Json
from trackspec.protocol.message import PAIR, Field, Message

_DESCRIPTION = """\
The calls of a tracking store over HTTP. What each promises is written in the chapters of the specification.

A field that is null is absent. 64-bit integers are numbers; a string of digits is read too. NaN and the infinities
are the strings "NaN", "Infinity" and "-Infinity". An empty list may be left out of an answer, and answers may have
fields that are not told here. Every path below /api/2.0/mlflow is served below /ajax-api/2.0/mlflow too, and those
of artifacts, which not every server proxies, below /ajax-api/2.0/mlflow-artifacts."""

_REFUSALS = {
    400: "The request is malformed, or the call is refused.",
    401: "The server asks for credentials, or does not know those given.",
    403: "The server does not permit the call to whoever makes it, or from where.",
    404: "What the call is about does not exist.",
    408: "The request did not arrive in time.",
    409: "The state of what the call is about forbids it.",
    413: "The body is too large.",
    431: "The head of the request is too large.",
    500: "The server or its store failed.",
    501: "The store does not offer this call.",
    503: "The server cannot answer now; the same call may succeed later.",
}

_FILE = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}

_MESSAGES = {
    item.name: item
    for item in (*vars(entities).values(), *vars(artifact_endpoints).values(), PAIR)
    if isinstance(item, Message) and item.fields
}
_REQUESTS = {endpoint.request.name: endpoint.request for endpoint in ENDPOINTS if "POST" in endpoint.methods}
_REQUESTS |= {row.request.name: row.request for row in ARTIFACT_ENDPOINTS if row.method == "POST"}


def document() -> dict[str, Json]:
    """The document, as JSON values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "trackspec",
            "summary": "The REST protocol of experiment tracking",
            "description": _DESCRIPTION,
            "version": SPEC_VERSION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{}, {"basic": []}, {"bearer": []}],
        "paths": _paths(),
        "components": {
            "schemas": _schemas(),
            "responses": {f"Status{status}": _refusal(text) for status, text in _REFUSALS.items()},
            "securitySchemes": {
                "basic": {"type": "http", "scheme": "basic"},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def yaml_text() -> str:
    """The document in YAML."""
    return "# Drawn up from the table of endpoints by `make spec`.\n" + "\n".join(_yaml(document())) + "\n"


# -- paths -------------------------------------------------------------------------------------------------------


def _paths() -> dict[str, Json]:
    paths: dict[str, Json] = {}
    for endpoint in ENDPOINTS:
        operations = paths.setdefault(endpoint.paths[0], {})
        for method in endpoint.methods:
            operations[method.lower()] = _operation(endpoint, method)
    for row in ARTIFACT_ENDPOINTS:
        paths.setdefault(row.paths[0], {})[row.method.lower()] = _artifact_operation(row)
    paths["/health"] = {"get": _plain("health", "Tell whether the server answers.")}
    paths["/version"] = {"get": _plain("version", "Tell the server's version.")}
    return paths


def _operation(endpoint: Endpoint, method: str) -> dict[str, Json]:
    alone = method == endpoint.methods[0]
    operation: dict[str, Json] = {
        "operationId": endpoint.name if alone else f"{endpoint.name}_by_query",
        "summary": endpoint.summary,
    }
    parameters = [_parameter(field) for field in endpoint.request.fields] if method == "GET" else []
    if endpoint.creates:
        parameters.append(_key_parameter())
    if parameters:
        operation["parameters"] = parameters
    if method == "POST":
        schema = {"$ref": f"#/components/schemas/{endpoint.request.name}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    content = {"application/json": {"schema": _answer(endpoint.answer)}}
    operation["responses"] = {"200": {"description": "Done.", "content": content}, **_refusals()}
    return operation


def _artifact_operation(row: ArtifactEndpoint) -> dict[str, Json]:
    operation: dict[str, Json] = {"operationId": row.name, "summary": row.summary}
    parameters = [_parameter(field) for field in row.request.fields] if row.method == "GET" else []
    if row.has_path:
        parameters.append({"name": "path", "in": "path", "required": True, "schema": {"type": "string"}})
    if parameters:
        operation["parameters"] = parameters
    if row.takes_file:
        operation["requestBody"] = {"required": True, "content": _FILE}
    elif row.method == "POST":
        schema = {"$ref": f"#/components/schemas/{row.request.name}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    content: dict[str, Json] = _FILE
    if row.answer is not None:
        told = row.answer.schema() if row.answer.fields else {"type": "object"}
        content = {"application/json": {"schema": told}}
    answers = {"200": {"description": "Done.", "content": content}}
    if row.answer is None:
        answers["206"] = {"description": "What the client lacks of the file.", "content": content}
    operation["responses"] = {**answers, **_refusals()}
    return operation


def _plain(name: str, summary: str) -> dict[str, Json]:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {
        "operationId": name,
        "summary": summary,
        "responses": {"200": {"description": "Done.", "content": content}, **_refusals()},
    }


def _parameter(field: Field) -> dict[str, Json]:
    return {
        "name": field.name,
        "in": "query",
        "required": field.required and not field.also,
        "schema": _schema(field),
    }


def _key_parameter() -> dict[str, Json]:
    pattern = f"^[!-~]{{1,{MAX_IDEMPOTENCY_KEY_LENGTH}}}$"
    return {
        "name": KEY_HEADER,
        "in": "header",
        "description": "Makes the call repeatable, where the server knows such keys.",
        "schema": {"type": "string", "pattern": pattern},
    }


def _refusals() -> dict[str, Json]:
    return {f"{status}": {"$ref": f"#/components/responses/Status{status}"} for status in _REFUSALS}


def _refusal(description: str) -> dict[str, Json]:
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}


# -- schemas -----------------------------------------------------------------------------------------------------


def _schemas() -> dict[str, Json]:
    found = {name: _message(message) for name, message in _MESSAGES.items()}
    found |= {name: _message(message) | {"additionalProperties": False} for name, message in _REQUESTS.items()}
    codes = [code.value for code in ErrorCode]
    found["Error"] = {
        "type": "object",
        "properties": {"error_code": {"type": "string", "examples": codes}, "message": {"type": "string"}},
        "required": ["error_code", "message"],
    }
    return dict(sorted(found.items()))


def _message(message: Message) -> dict[str, Json]:
    properties = {name: _schema(field) for field in message.fields for name in (field.name, *field.also)}
    schema: dict[str, Json] = {"type": "object", "properties": properties}
    if required := [field.name for field in message.fields if field.required and not field.also]:
        schema["required"] = required
    if choices := [(field.name, *field.also) for field in message.fields if field.required and field.also]:
        (names,) = choices
        schema["anyOf"] = [{"required": [name]} for name in names]
    return schema


def _schema(field: Field) -> dict[str, Json]:
    default = field.kind.write(field.default) if field.default not in (None, (), dict) else None
    return field.kind.schema() | ({} if default is None else {"default": default})


def _answer(answer: Answer) -> dict[str, Json]:
    if not answer.kinds:
        return {"type": "object"}
    name, *_ = answer.kinds
    schema = {"type": "object", "properties": {name: kind.schema() for name, kind in answer.kinds.items()}}
    return schema if isinstance(answer.kinds[name], Items) else schema | {"required": [name]}


# -- YAML --------------------------------------------------------------------------------------------------------

_PLAIN_KEY = re.compile(r"[A-Za-z$/][\w$/.-]*")


def _yaml(value: Json, indent: str = "") -> Iterator[str]:
    """The lines of a value in block style. Scalars are as in JSON, which YAML understands."""
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from _entry(f"{indent}{_key(key)}:", item, f"{indent}  ")
    elif isinstance(value, list) and value:
        for item in value:
            first, *rest = _yaml(item, f"{indent}  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
    else:
        yield f"{indent}{json.dumps(value, ensure_ascii=False)}"


def _entry(head: str, item: Any, indent: str) -> Iterator[str]:
    if isinstance(item, (dict, list)) and item:
        yield head
        yield from _yaml(item, indent)
    elif isinstance(item, str) and "\n" in item:
        yield f"{head} |-"
        yield from (f"{indent}{line}".rstrip() for line in item.split("\n"))
    else:
        yield f"{head} {json.dumps(item, ensure_ascii=False)}"


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else json.dumps(key)

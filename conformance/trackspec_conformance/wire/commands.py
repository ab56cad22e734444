"""A check's calls as curl commands, for whoever develops a server and has no Python at hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from trackspec import TrackspecError
from trackspec.protocol.endpoints import BY_NAME
from trackspec_conformance.calls import Call, Made
from trackspec_conformance.scripts import one_line
from trackspec_conformance.wire.client import Request, Wire, get_request, other_request, post_request, put_request
from trackspec_conformance.wire.store import request_of

PATIENCE = 30
"""Seconds after which a command gives up."""
_URL = "\0"
"""Stands for the server's URL where a command is put together."""
_SHORT = 6
"""Characters of an id that other values may equal by chance."""
_LONG = 2000
"""Characters that a command line shows of a body; a longer one is piped."""
_REPEATED = re.compile(r"(.)\1{79,}", re.DOTALL)
_REQUESTS: Mapping[str, Callable[..., Request]] = {
    "get": get_request,
    "post": post_request,
    "put": put_request,
    "request": other_request,
}
_OF_THE_CLIENT = ("keep_open", "early")
"""Arguments that say how an answer is read, and nothing of the request."""
_FIELDS = {"": "experiment_id", ".token": "next_page_token"}
"""The field of an answer that holds what a call returns, where the path to it does not end with its name."""


def curl_script(calls: Sequence[Call], wire: Wire, namespace: str, expected: str, got: str) -> str:
    """The calls as a shell script, ending with what was expected and what came; empty if none makes a request.

    :param wire: the server, and what says who asks.
    :param namespace: text that the script replaces by text of its own.
    """
    variables = {namespace: "ns"} if namespace else {}
    lines: list[str] = []
    for number, call in enumerate(calls):
        if call.made is None:
            continue
        request = _request(call.made)
        if request is None:
            lines.append(f"# {one_line(call.source)}: nothing that can be sent")
            continue
        command = _command(request, wire, variables)
        wanted = _wanted(call, calls[number + 1 :])
        if wanted is None:
            lines.append(command.replace("curl -sS", "curl -sS -i", 1))
            continue
        value, name = wanted
        variable = f"{name}_{number + 1}"
        variables[value] = variable
        lines.append(f"""{variable}=$({command} | grep -o '"{name}": *"[^"]*"' | head -n 1 | cut -d '"' -f 4)""")
    if not any("curl " in line for line in lines):
        return ""
    head = ["#!/bin/bash", f"URL={_quoted(wire.url, {})}"]
    if any(re.search(r"\$(ns\b|{ns})", line) for line in lines):
        head.append('ns="repro-$(date +%s)-$$"')
    tail = [f"# expected: {one_line(expected)}", f"# got:      {one_line(got)}"]
    return "\n".join([*head, "", *lines, *tail]) + "\n"


def _request(made: Made) -> Request | None:
    if made.receiver == "wire":
        given = {name: value for name, value in made.kwargs.items() if name not in _OF_THE_CLIENT}
        return _REQUESTS[made.method](*made.args, **given) if made.method in _REQUESTS else None
    try:
        return request_of(made.method, made.args, made.kwargs) if made.method in BY_NAME else None
    except TrackspecError:
        return None


def _wanted(call: Call, later: Sequence[Call]) -> tuple[str, str] | None:
    """The id or token in a call's answer that a later call uses, and the field that holds it."""
    used = " ".join(repr(other.made) for other in later)
    for value, path in call.references:
        if value in used:
            return value, _FIELDS.get(path) or re.findall(r"\w+", path)[-1]
    return None


def _command(request: Request, wire: Wire, variables: Mapping[str, str]) -> str:
    body, pipe = _body(request, variables)
    words = ["curl -sS", f"--max-time {PATIENCE}", *_method(request)]
    if "//" in request.target or "/." in request.target:
        words.append("--path-as-is")
    if re.search(r"[\[\]{}]", request.target):
        words.append("--globoff")
    words.append(_quoted(f"{_URL}{request.target}", {_URL: "URL", **variables}))
    given = {name.lower() for name, _ in request.headers}
    words += [f"-H {_quoted(f'{name}: {value}', variables)}" for name, value in request.headers]
    if body and "content-type" not in given:
        words.append("-H 'Content-Type:'")
    if request.credentials and wire.curl_option:
        words.append(wire.curl_option)
    return pipe + " ".join(words + body)


def _method(request: Request) -> list[str]:
    if request.method == "HEAD":
        return ["--head"]
    implied = "POST" if request.body is not None else "GET"
    return [] if request.method == implied else [f"-X {request.method}"]


def _body(request: Request, variables: Mapping[str, str]) -> tuple[list[str], str]:
    """The words that give the body, and the command that pipes it where they cannot hold it."""
    if request.body is None:
        return [], ""
    try:
        text = request.body.decode()
        simple = len(text) <= _LONG and text.isprintable()
    except UnicodeDecodeError:
        text, simple = request.body.decode("latin-1"), False
    if simple:
        return [f"--data-binary {_quoted(text, variables)}"], ""
    pieces = "; ".join(_printing(request.body.decode("latin-1"), variables))
    return ["--data-binary @-"], f"{{ {pieces}; }} | "


def _printing(text: str, variables: Mapping[str, str]) -> Iterator[str]:
    """Commands that print the bytes that the characters stand for."""
    start = 0
    for run in _REPEATED.finditer(text):
        if run.start() > start:
            yield _printf(text[start : run.start()], variables)
        yield f"head -c {len(run.group())} /dev/zero | tr '\\0' '\\{ord(run[1]):03o}'"
        start = run.end()
    if start < len(text):
        yield _printf(text[start:], variables)


def _printf(text: str, variables: Mapping[str, str]) -> str:
    escaped = re.sub(r"[^ -~]|[\\%']", lambda found: f"\\{ord(found.group()):03o}", text)
    return f"printf {_quoted(escaped, variables)}"


def _quoted(text: str, variables: Mapping[str, str]) -> str:
    """Text as a word of the shell, what a variable holds replaced by the variable."""
    pattern = "|".join(map(_occurrence, sorted(variables, key=len, reverse=True)))
    pieces = re.split(f"({pattern})", text) if variables else [text]
    if len(pieces) == 1:
        return "'" + text.replace("'", "'\\''") + "'"
    if not re.search(r'["$`\\!]', text):
        return '"' + "".join(f"${{{variables[piece]}}}" if piece in variables else piece for piece in pieces) + '"'
    words = [f'"${variables[piece]}"' if piece in variables else _quoted(piece, {}) for piece in pieces if piece]
    return "".join(words)


def _occurrence(value: str) -> str:
    """A pattern that finds an id or token in a request; one that is short, only where an id is expected."""
    escaped = re.escape(value)
    if value == _URL or len(value) > _SHORT:
        return escaped
    return rf'(?:(?<=_id": ")|(?<=_ids": \[")|(?<=_id=)){escaped}(?=["&]|$)'

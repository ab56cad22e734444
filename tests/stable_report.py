"""A report of the suite in the form in which it is kept: short, and the same after the next run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

LENGTH = 240
"""Characters that are kept of an expectation, an answer or a call."""

_CHANGES = (
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\bsftp://\w+@", "sftp://USER@"),
    (r"/tmp/trackspec-sshd-\w+", "/DIRECTORY"),
    # What the client says when the server has answered 5xx; the server's own words are lost.
    (r" failed with exception HTTPConnectionPool\(.*", " failed …"),
    # A name of the suite's making; its number, where it has more digits, counts the examples of a property.
    (r"(?:\bts[0-9a-f]{10}|\{ns\})-([\w ]+?)-[0-9a-f]{8}-(\d)(?!\d)", r"\1-\2"),
    (r"(?:\bts[0-9a-f]{10}|\{ns\})-([\w ]+?)-[0-9a-f]{8}-\d+", r"\1-N"),
    (r"(?:\bts[0-9a-f]{10}|\{ns\})-", ""),
    (r"\bf('[^{}']*'|\"[^{}\"]*\")", r"\1"),
    # The present, and not the time that the suite gives to runs.
    (r"\b1(7[1-9]|[89]\d)\d{10}\b", "TIME"),
    (r"(?<=')[a-z]+-[a-z]+-\d{1,3}(?=')", "NAME"),
    (r"\bat 0x[0-9a-f]+", "at ADDRESS"),
)
_IDS = re.compile(r"\b(?:[0-9a-f]{32}|\d{18}|\d{35,39}|[0-9a-f]{8,31}(?=…))\b")
"""Ids of runs and of experiments, large numbers drawn at random, and the beginning of an id that was cut."""


def stable(report: Mapping[str, Any], directory: Path, timed: Collection[str] = ()) -> dict[str, Any]:
    """What is kept of a report: who was judged, the verdicts, and of each requirement what became of it.

    :param directory: where the subject lived, which is different in each run.
    :param timed: the requirements on which a wrong answer depends on timing, and is not kept.
    """
    kept = {key: report[key] for key in ("spec_version", "suite_version", "seed", "subject", "profiles")}
    kept["subject"] = {key: _unchanging(value, directory) for key, value in report["subject"].items()}
    kept["requirements"] = [
        _requirement(item, directory, timed=item["id"] in timed) for item in report["requirements"]
    ]
    return kept


def _requirement(item: Mapping[str, Any], directory: Path, *, timed: bool) -> dict[str, Any]:
    kept = {"id": item["id"], "outcome": item["outcome"]}
    if item["script"] and timed:
        told = {"calls": [], "expected": item["expected"], "got": "another answer in each run"}
    elif item["script"]:
        told = {"calls": _deciding_calls(item), "expected": item["expected"], "got": item["got"]}
    elif item["message"]:
        told = {"message": item["message"]}
    else:
        return kept
    return kept | _numbered({key: _unchanging(value, directory) for key, value in told.items()})


def _unchanging(value: Any, directory: Path) -> Any:
    if isinstance(value, list):
        return [_unchanging(item, directory) for item in value]
    text = str(value).replace(str(directory), "DIRECTORY")
    for changing, stays in _CHANGES:
        text = re.sub(changing, stays, text)
    return text


def _numbered(told: dict[str, Any]) -> dict[str, Any]:
    """Each id replaced by a number, in the order in which they come, and what is still long cut."""
    numbers: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        return numbers.setdefault(found[0], f"ID{len(numbers) + 1}")

    def short(value: Any) -> Any:
        if isinstance(value, list):
            return [short(item) for item in value]
        text = _IDS.sub(number, value)
        return text if len(text) <= LENGTH else f"{text[: LENGTH - 1]}…"

    return {key: short(value) for key, value in told.items()}


# -- calls -------------------------------------------------------------------------------------------------------


def _deciding_calls(item: Mapping[str, Any]) -> list[str]:
    """The call that was answered wrongly; also the call before it, unless it is a mistake to be refused."""
    if re.search(r"^repository = ", item["script"], re.MULTILINE):
        return _deciding_calls_on_files(item)
    statements = [
        line.strip()
        for line in item["script"].partition("# expected:")[0].splitlines()
        if re.match(r"\s*(\w+ = )?(store(_\d+)?|open_subject\(SUBJECT\)\.open\(\))\.", line)
    ]
    of_one_call = item["expected"].startswith(("a refusal", "an answer"))
    words = _words_for_answers(statements)
    telling = [statement for statement in statements if not statement.startswith("shared_experiment")]
    return [_worded(call, words) for call in telling[-1 if of_one_call else -2 :]]


def _deciding_calls_on_files(item: Mapping[str, Any]) -> list[str]:
    """The calls on a repository that decide, with the local files that they are given in their places."""
    lines = [line.strip() for line in item["script"].partition("# expected:")[0].splitlines()]
    assigned = [
        found for line in lines if (found := re.fullmatch(r"((?:file|folder)_\d+) = (local_\w+\(.*\))", line))
    ]
    made = {found[1]: found[2] for found in assigned}
    opened = (
        r"(\w+ = )?(cut\(lambda: |end_a_process\(lambda: lambda: )?repository(_\d+)?\.|local_(link|pipe|write)\("
    )
    statements = [line for line in lines if re.match(opened, line)]
    last = statements[-1:]
    others = [line for line in statements[:-1] if ".list_artifacts(" not in line]
    telling = last if item["expected"].startswith("a refusal") else others[-2:] + last
    return [_with_files(re.sub(r"^\w+ = ", "", call), made) for call in telling]


def _with_files(call: str, made: Mapping[str, str]) -> str:
    text = re.sub(r"\{(file|folder)_\d+\}", r"{\1}", call)
    text = re.sub(r"\b(?:file|folder)_\d+\b", lambda found: made.get(found[0], found[0]), text)
    text = re.sub(r"\brepository_\d+\b", "repository", re.sub(r"\banswer_\d+\b", "downloaded", text))
    return re.sub(r", \d+\.\d{4}\)$", ", SECONDS)", text)


def _words_for_answers(statements: list[str]) -> dict[str, str]:
    """A word for what each variable of a script holds."""
    kinds = {"create_experiment": "experiment_id", "create_run": "run"}
    words: dict[str, str] = {}
    for statement in statements:
        assigned = re.match(r"(\w+) = store(?:_\d+)?\.(\w+)", statement)
        if assigned:
            word = kinds.get(assigned[2], "page")
            taken = sum(other.startswith(word) for other in words.values())
            words[assigned[1]] = f"{word}_{taken + 1}" if taken else word
    return words


def _worded(call: str, words: Mapping[str, str]) -> str:
    text = re.sub(r"^\w+ = ", "", call)
    for variable, word in words.items():
        text = re.sub(rf"\b{variable}\b", word, text)
    return re.sub(r"\brun(_\d+)?\.info\.run_id", r"run_id\1", text)

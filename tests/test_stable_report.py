"""What is kept of a report has no value of the run that made it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from tests.stable_report import stable

ID = "interval.up-to-100-runs"
"""It looks like the name of a run, and is not taken for one."""

SCRIPT = """
store = open_subject(SUBJECT).open()

answer_1 = store.create_experiment(f'{ns}-twice-1a2b3c4d-1', None, [])
answer_2 = store.create_run(answer_1, 'user', 1700000000000, [], None)
with suppress(Exception):  # INVALID_PARAMETER_VALUE: no
    store.log_param(answer_2.info.run_id, Param('p', 'x'))
answer_4 = store.get_run(answer_2.info.run_id)
# expected: nothing
# got:      something
print(answer_4)
"""


def kept(timed: Collection[str] = (), **item: Any) -> dict[str, Any]:
    """What is kept of one requirement."""
    report = {
        "spec_version": "1.0",
        "suite_version": "0.1",
        "seed": 1,
        "seconds": 3.5,
        "subject": {"locator": "file:/tmp/there/x"},
        "profiles": {},
        "requirements": [{"id": ID, "outcome": "fail", "script": None, "message": ""} | item],
    }
    found = stable(report, Path("/tmp/there"), timed)
    assert found["subject"] == {"locator": "file:DIRECTORY/x"}
    (requirement,) = found["requirements"]
    assert requirement.pop("id") == ID
    assert requirement.pop("outcome") == item.get("outcome", "fail")
    return dict(requirement)


def test_a_pass_is_its_id_and_outcome() -> None:
    """Nothing else is kept of it."""
    assert kept(outcome="pass") == {}


def test_the_call_that_is_answered_wrongly_is_kept() -> None:
    """A mistake that is not refused is one call; what is read wrongly has to do with the call before it."""
    refusal = kept(script=SCRIPT, expected="a refusal with X", got="no error")
    state = kept(script=SCRIPT, expected="the params: {}", got="{'p': 'x'}")

    assert refusal["calls"] == ["store.get_run(run_id)"]
    assert state["calls"] == ["store.log_param(run_id, Param('p', 'x'))", "store.get_run(run_id)"]


def test_ids_are_numbered_and_times_and_names_replaced() -> None:
    """The same id has the same number, and what differs from run to run is gone."""
    found = kept(
        script=SCRIPT,
        expected=f"['{'a' * 32}', '{'1' * 18}', 'ts0123456789-twice-1a2b3c4d-1']",
        got=f"['{'1' * 18}', '{'a' * 32}', 'merry-ox-7'] at 1795538702562 at 0x7f00 127.0.0.1:99 /tmp/there/x",
    )

    assert found["expected"] == "['ID1', 'ID2', 'twice-1']"
    assert found["got"] == "['ID2', 'ID1', 'NAME'] at TIME at ADDRESS 127.0.0.1:PORT DIRECTORY/x"


def test_a_long_message_is_cut() -> None:
    """A report that is checked in is short."""
    assert kept(message=f"says {'word ' * 100}")["message"].endswith("…")


def test_an_answer_that_depends_on_timing_is_not_kept() -> None:
    """Only that it is wrong is the same in each run."""
    found = kept({ID}, script=SCRIPT, expected="one id", got="['1', '2']")

    assert found == {"calls": [], "expected": "one id", "got": "another answer in each run"}


def test_calls_on_files_hold_the_files() -> None:
    """The calls that decide are kept with the local files they were given, and without listings in between."""
    script = """
repository = open_subject(SUBJECT, 'artifacts').open()

folder_2 = local_folder({'a': b'file'})
repository.log_artifacts(folder_2, f'{ns}-x-1a2b3c4d-1')
repository.list_artifacts(f'{ns}-x-1a2b3c4d-1')
folder_3 = local_folder()
repository_4 = open_subject(SUBJECT, 'artifacts').open()
end_a_process(lambda: lambda: repository_4.download_artifacts(f'{ns}-x-1a2b3c4d-1/a', folder_3), 0.0123)
# expected: nothing
"""
    found = kept(script=script, expected="the file: b'file'", got="b'fi'")

    assert found["calls"] == [
        "repository.log_artifacts(local_folder({'a': b'file'}), 'x-1')",
        "end_a_process(lambda: lambda: repository.download_artifacts('x-1/a', local_folder()), SECONDS)",
    ]

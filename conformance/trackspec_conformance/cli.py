"""The command line: ``check`` judges a backend, ``compare`` tells reports apart, ``spec`` prints chapters.

``soak`` kills, crowds and loses for as long as one likes.

What is installed beside the suite adds commands of its own, through entry points.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import entry_points
from typing import NoReturn

from trackspec import __version__
from trackspec_conformance.interfaces import INTERFACES, Interface

GROUP = "trackspec.commands"
"""The entry point group: the name is a command's, the object adds it to the sub-parsers that it is given."""

COULD_NOT_BE_JUDGED = 2


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command and exit: 0 conforms, 1 some MUST failed, 2 could not be judged."""
    options = _parser().parse_args(arguments)
    try:
        sys.exit(options.run(options))
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("hypothesis", "rich", "tomli"):
            raise
        print(f"trackspec: {error.name} is missing: pip install 'trackspec[conformance]'", file=sys.stderr)
        sys.exit(COULD_NOT_BE_JUDGED)
    except KeyboardInterrupt:
        print("trackspec: interrupted", file=sys.stderr)
        sys.exit(COULD_NOT_BE_JUDGED)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of the output has gone, as with `| head`
        sys.exit(COULD_NOT_BE_JUDGED)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trackspec",
        description="Judge a backend of experiment tracking, or serve one.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"trackspec {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_compare(commands)
    _add_soak(commands)
    _add_spec(commands)
    for command in sorted(entry_points(group=GROUP), key=lambda entry_point: entry_point.name):
        command.load()(commands)
    return parser


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="judge a backend", allow_abbrev=False)
    interfaces = check.add_subparsers(required=True, metavar="INTERFACE")
    for interface in INTERFACES.values():
        _add_interface(interfaces, interface)


def _add_interface(interfaces: argparse._SubParsersAction[argparse.ArgumentParser], interface: Interface) -> None:
    width = max(map(len, interface.subjects)) + 2
    subjects = "".join(f"  {form:<{width}}{opened}\n" for form, opened in interface.subjects.items())
    parser = interfaces.add_parser(
        interface.name,
        help=f"judge {interface.noun}",
        allow_abbrev=False,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Judge {interface.noun}, requirement by requirement.",
        epilog=(
            f"subjects:\n{subjects}\n"
            "exit status: 0 conforms to every claimed profile; 1 some MUST failed; 2 could not be judged"
        ),
    )
    parser.add_argument("subject", nargs="?", metavar="SUBJECT")
    parser.add_argument("--profile", action="append", metavar="NAME", help="judge this profile only; repeatable")
    parser.add_argument(
        "-k", dest="keyword", metavar="TEXT", help="judge requirements and checks whose name has TEXT"
    )
    parser.add_argument("-n", dest="workers", type=_workers, default=1, metavar="WORKERS", help="processes (1)")
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON; - for standard output")
    parser.add_argument("--junit", metavar="FILE", help="write the report as JUnit XML")
    parser.add_argument("--known", metavar="FILE", help="known failures (TOML), which do not fail the run")
    parser.add_argument("--spec-version", metavar="VERSION", help="the version of the specification to judge by")
    parser.add_argument("--seed", type=_seed, metavar="N", help="repeat the run that printed this seed")
    _add_server_command(parser, f"SUBJECT is {interface.served}")
    parser.set_defaults(run=_check, interface=interface.name)


def _add_server_command(parser: argparse.ArgumentParser, subject: str) -> None:
    parser.add_argument(
        "--server-command",
        metavar="COMMAND",
        help=f"start a server at {{port}}, judge it, kill it and start it again; {subject}",
    )


def _add_compare(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    compare = commands.add_parser(
        "compare",
        help="print where reports differ",
        allow_abbrev=False,
        description="Print the requirements that do not have the same outcome in all reports.",
        epilog="exit status: 0 none differs; 1 some differ; 2 could not be compared",
    )
    compare.add_argument("first", metavar="REPORT", help="a report that check --json has written")
    compare.add_argument("others", nargs="+", metavar="REPORT", help="those to compare it with")
    compare.set_defaults(run=_compare)


def _add_soak(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    soak = commands.add_parser(
        "soak",
        help="kill, crowd and lose, over and over",
        allow_abbrev=False,
        description="Make rounds of faults and crowds on a store or repository, and tell what they have broken.",
        epilog="exit status: 0 nothing was broken; 1 there were anomalies; 2 nothing could be tried",
    )
    soak.add_argument("subject", nargs="?", metavar="SUBJECT", help="as of check tracking, or check artifacts")
    soak.add_argument(
        "--interface", choices=INTERFACES, default="tracking", help="what SUBJECT is opened as (tracking)"
    )
    _add_server_command(soak, "SUBJECT is at http://127.0.0.1:{port}")
    soak.add_argument("--minutes", type=float, default=1.0, metavar="N", help="how long (1)")
    soak.add_argument(
        "--rounds",
        action="append",
        default=[],
        metavar="SCENARIO=N",
        help="so many rounds of kills, crowds, lost-answers, creators (of stores) or writers (of artifacts), in "
        "place of a time; repeatable",
    )
    soak.add_argument(
        "--seed", type=_seed, metavar="N", help="repeat the rounds of the soak that printed this seed"
    )
    soak.add_argument("--replay", metavar="SCENARIO:SEED", help="make one round again")
    soak.add_argument("--json", metavar="FILE", help="write what was found as JSON")
    soak.set_defaults(run=_soak)


def _add_spec(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    spec = commands.add_parser("spec", help="print the specification", allow_abbrev=False)
    spec.add_argument(
        "id", nargs="?", metavar="ID", help="a requirement's id or a chapter's name; none lists the chapters"
    )
    spec.set_defaults(run=_print_spec)


def _check(options: argparse.Namespace) -> int:
    from trackspec_conformance.checking import check_subject  # noqa: PLC0415 - needs the conformance extra

    return check_subject(options)


def _compare(options: argparse.Namespace) -> int:
    from trackspec_conformance.comparing import print_comparison  # noqa: PLC0415 - needs the conformance extra

    return print_comparison([options.first, *options.others])


def _soak(options: argparse.Namespace) -> int:
    from trackspec_conformance.surviving.soaking import soak  # noqa: PLC0415 - needs the conformance extra

    return soak(options)


def _print_spec(options: argparse.Namespace) -> int:
    from trackspec_conformance.spec_reader import print_spec  # noqa: PLC0415 - `check` does not need it

    return print_spec(options.id)


def _workers(text: str) -> int:
    number = int(text)
    if not 1 <= number <= 64:
        raise argparse.ArgumentTypeError("must be 1 to 64")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if not 0 <= number < 2**32:
        raise argparse.ArgumentTypeError("must be 0 to 4294967295")
    return number

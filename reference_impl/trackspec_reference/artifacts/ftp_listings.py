"""What an FTP server says of its files: as RFC 3659 has it, or piece by piece where it does not know that."""

from __future__ import annotations

import ftplib
import posixpath

from trackspec_reference.artifacts.remote_tree import Entry

_ORDINARY = ("501", "550", "553")
"""What servers answer where something is missing or in the way, or somebody may not: they do not say which."""
_UNKNOWN = ("500", "502", "504")
"""What they answer to a command that they do not know."""


class Listings:
    """The listings of one server, which is asked once whether it knows MLST and MLSD."""

    def __init__(self) -> None:
        self._tells_facts = True

    def entry(self, ftp: ftplib.FTP, place: str) -> Entry | None:
        """The file or folder at a place; None where there is neither."""
        if self._tells_facts:
            try:
                return _of_answer(posixpath.basename(place), ftp.sendcmd(f"MLST {place}"))
            except ftplib.error_perm as error:
                if code_of(error) not in _UNKNOWN:
                    require_ordinary(error)
                    return None
                self._tells_facts = False
        ftp.voidcmd("TYPE I")  # which a size depends on
        return _found_out(ftp, place)

    def entries(self, ftp: ftplib.FTP, place: str) -> list[Entry] | None:
        """What is directly in a folder; None where there is no folder, or it cannot be entered."""
        if self._tells_facts:
            try:
                told = [_of_facts(posixpath.basename(name), facts) for name, facts in ftp.mlsd(place)]
                return [entry for entry in told if entry is not None]
            except ftplib.error_perm as error:
                if code_of(error) not in _UNKNOWN:
                    require_ordinary(error)
                    return None
                self._tells_facts = False
        if not _enters(ftp, place):
            return None
        names = _names_in_this_folder(ftp)
        ftp.voidcmd("TYPE I")
        found = [_found_out(ftp, posixpath.join(place, name)) for name in names]
        return [entry for entry in found if entry is not None]


def require_ordinary(error: ftplib.error_perm) -> None:
    """Require that an answer says no more than that something is not done."""
    if code_of(error) not in _ORDINARY:
        raise error


def code_of(error: Exception) -> str:
    """The code of an answer."""
    return str(error)[:3]


def _of_answer(name: str, told: str) -> Entry | None:
    line = next((line for line in told.split("\n")[1:] if line.startswith(" ")), "")
    facts = line.strip().partition(" ")[0].lower().split(";")
    return _of_facts(name, dict(fact.split("=", 1) for fact in facts if "=" in fact), is_listing=False)


def _of_facts(name: str, facts: dict[str, str], *, is_listing: bool = True) -> Entry | None:
    """What a server says of a file or folder; None where it is neither, such as a link."""
    kind = facts.get("type", "").lower()
    if kind == "dir" or (kind in ("cdir", "pdir") and not is_listing):
        return Entry(name, None)
    size = facts.get("size", "")
    return Entry(name, int(size)) if kind == "file" and size.isdecimal() else None


def _found_out(ftp: ftplib.FTP, place: str) -> Entry | None:
    """A file has a size, and a folder can be entered."""
    name = posixpath.basename(place)
    try:
        size = ftp.size(place)
    except ftplib.error_perm as error:
        require_ordinary(error)
        return Entry(name, None) if _enters(ftp, place) else None
    return None if size is None else Entry(name, size)


def _enters(ftp: ftplib.FTP, place: str) -> bool:
    try:
        ftp.cwd(place)
    except ftplib.error_perm as error:
        require_ordinary(error)
        return False
    return True


def _names_in_this_folder(ftp: ftplib.FTP) -> list[str]:
    """All names, the hidden ones too: a server that hides them knows an option, and then shows ``.`` as well."""
    for options in (["-a"], []):
        try:
            names = {posixpath.basename(name) for name in ftp.nlst(*options)}
        except ftplib.error_perm as error:  # so some of them say that there is nothing
            require_ordinary(error)
            continue
        if not options or {".", ".."} <= names:
            return sorted(names - {".", ".."})
    return []

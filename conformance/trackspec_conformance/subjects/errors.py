"""Why a subject cannot be judged."""


class SubjectError(Exception):
    """The subject cannot be had; the message is one line that says what to do."""

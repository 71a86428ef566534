"""Which companion a notebook was made for, and whether the installed one is older."""

from __future__ import annotations

import re

from companion import __version__


def parts(version: object) -> tuple[int, ...]:
    """Return the numbers of a version without zeros at its end; none where there is no version to read.

    >>> parts("0.12.0rc1"), parts("0.3") > parts("0.12.0"), parts("0+unknown")
    ((0, 12), False, ())
    """
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version) if type(version) is str and "unknown" not in version else None
    numbers = [int(n) for n in found[0].split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def older_than(wanted: object) -> str:
    """Return a sentence that names both versions if the installed companion is older; else nothing.

    >>> older_than("0.0.1")
    ''
    """
    if not parts(__version__) or parts(wanted) <= parts(__version__):
        return ""
    return (
        f"This notebook was made for companion {wanted}, and yours is {__version__}: "
        "install the newer one, then restart the kernel."
    )


def may_be_newer(wanted: object = None) -> str:
    """Return a sentence for an exercise that the installed companion does not have.

    >>> may_be_newer().endswith("a newer one may have it.")
    True
    """
    return older_than(wanted) or f"Your companion is {__version__}; a newer one may have it."

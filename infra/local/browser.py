"""The browser in which the console's tests run: Debian's Chromium, or whichever is there.

Its one rule: nothing but the operating system's own package is installed, and only where that is allowed.
"""

import os
import shutil
from collections.abc import Callable

from infra.local import packages

VARIABLE = "SEATLINE_TEST_BROWSER"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

NO_BROWSER = """
############################################################################
#  NO BROWSER: Chromium is not installed; tests of the console will FAIL.  #
#  Debian: apt-get install chromium. Or: SEATLINE_TEST_BROWSER=/path/to/it #
############################################################################
"""


def find() -> str | None:
    """The program: the one that SEATLINE_TEST_BROWSER names, else an installed one."""
    return os.environ.get(VARIABLE) or next((path for name in _NAMES if (path := shutil.which(name))), None)


def ensure(*, install: bool, say: Callable[[str], None]) -> str | None:
    """The program, installing the package where it is missing and that is allowed; None, said loudly, without one."""
    program = find()
    if program is None and install and packages.can_install():
        try:
            packages.install_chromium(say)
        except packages.InstallError as error:
            say(str(error))
        program = find()
    if program is None:
        say(NO_BROWSER)
    return program

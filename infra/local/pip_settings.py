"""Tells uv what the machine told pip: uv reads neither pip's files nor its variables.

Its one rule: the standard library only, because it runs before anything is installed.
"""

import subprocess
from collections.abc import Mapping

# What pip is told (by file or variable) and the name under which uv hears the same.
PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "no-index": "UV_NO_INDEX",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "proxy": "ALL_PROXY",
}


def uv_variables(variables: Mapping[str, str], python: str) -> dict[str, str]:
    """The given variables, with pip's settings added under uv's names; what is set for uv already stays.

    Args:
        variables: the process environment.
        python: a Python with pip, which knows where pip's files are.
    """
    settings = dict(variables)
    # As pip does; the hashes in the lock keep it as safe as one index.
    settings.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    settings.setdefault("UV_LINK_MODE", "copy")
    for name, value in parse(_listing(variables, python), variables).items():
        variable = PIP_TO_UV.get(name)
        if variable is not None:
            separator = "," if variable == "UV_FIND_LINKS" else " "
            settings.setdefault(variable, separator.join(value.split()))
    return settings


def parse(listing: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Merge `pip config list` with the PIP_ variables, which win: `{"index-url": …}`.

    Lines read `global.index-url='https://…'`; several values of one setting are separated by an escaped newline.
    """
    settings: dict[str, str] = {}
    for line in listing.splitlines():
        section_and_name, _, quoted = line.partition("=")
        section, _, name = section_and_name.rpartition(".")
        if section in {"global", "install"}:
            settings[name] = quoted.strip("'\"").replace("\\n", " ").strip()
    for variable, value in variables.items():
        if variable.startswith("PIP_") and value:
            settings[variable.removeprefix("PIP_").lower().replace("_", "-")] = value
    return settings


def _listing(variables: Mapping[str, str], python: str) -> str:
    command = [python, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True, check=False, env=dict(variables))  # noqa: S603
    return listed.stdout if listed.returncode == 0 else ""

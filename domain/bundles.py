"""The bundle codes that the account dialect's pages name.

One rule: a known code without a pool is a bundle of which the account has none; a code that is neither known nor any
pool's is a mistake.
"""

KNOWN_BUNDLE_CODES = frozenset(
    {
        "ACNU",
        "ATTUNU",
        "RPADEVPRONU",
        "AKIT",
        "CTZDEVNU",
        "AXPNU",
        "IDU",
        "PMBU",
        "PMD",
        "TSTNU",
        "RPADEVNU",
        "ACCU",
        "ATTUCU",
        "CTZDEVCU",
        "RPADEVCU",
        "RPADEVPROCU",
    }
)

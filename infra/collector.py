"""The garbage collector of a process that serves until it ends.

One rule: what a process has made before it serves is not looked at again, and what it makes then only now and then.
"""

import gc

# By Python's own measure, 700 objects more than before, a batch of 100 items starts it several times, and hardly
# anything here is part of a cycle: docs/adr/0025. Twenty thousand small objects are some megabytes.
_OBJECTS = 20_000
_YOUNGER = 10


def settle() -> None:
    """Call it once, when everything that stays for good has been made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_OBJECTS, _YOUNGER, _YOUNGER)

"""How long a test waits for something that must happen, before it says that it never will.

No verdict may depend on how busy the machine is. A wait only ends a test that would hang: what is
waited for takes seconds on an idle machine. Whether something happens *soon* is asked of events and
of processor time instead.
"""

GENEROUS_S = 1200.0
"""More than a hundred times what the longest of these waits takes on an idle machine."""

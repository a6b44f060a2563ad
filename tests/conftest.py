"""How Hypothesis searches, and what Ctrl-C does.

A machine that is busy is no failure; nor is a run in the background, where a shell
has it that Ctrl-C is ignored, by all that are started as well.
"""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile(
    "patient", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

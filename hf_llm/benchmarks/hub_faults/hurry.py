"""Importing this makes every wait of a process fifty times shorter: the client waits up to eight seconds to retry."""

import time

_sleep = time.sleep
time.sleep = lambda seconds: _sleep(seconds / 50)

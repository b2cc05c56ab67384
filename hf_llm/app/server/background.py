"""Trainings and labs take what the pages leave of the cores, so that a click is answered while they run."""

import os

import psutil

LOWER = 10  # of the 19 steps down that a process can take on POSIX


def stand_back(pid: int) -> None:
    """Give a process that was just started, and all threads that it will start, less of a claim to the cores."""
    try:
        process = psutil.Process(pid)
        if os.name == "nt":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(min(19, psutil.Process().nice() + LOWER))
    except psutil.Error:
        pass  # it has ended already, or belongs to somebody else: it works all the same

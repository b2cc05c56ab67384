"""Push to and pull from a Hub through drawn faults, and look at what is left each time: all, or nothing."""

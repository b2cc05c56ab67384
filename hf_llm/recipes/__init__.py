"""From a config to a published run folder, in reading order."""

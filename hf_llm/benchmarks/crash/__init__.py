"""Kill trainings with SIGKILL at drawn times, start each again, and compare its end with an undisturbed run."""

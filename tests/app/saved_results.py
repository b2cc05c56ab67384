"""A committed result that the tests of the app read."""

CURRENT = "backprop"

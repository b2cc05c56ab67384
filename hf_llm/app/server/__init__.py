"""How the app is served: build, shell, rate limit, library, trainings."""

"""The web app: one file a page, shared parts beside them, every text in both languages under texts/."""

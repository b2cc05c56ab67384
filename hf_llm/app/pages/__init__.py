"""One file a page: `build(page)` draws it, `endpoints(app)` names the public functions that belong to it."""

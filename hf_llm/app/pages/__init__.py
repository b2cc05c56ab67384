"""A page a module, or a folder with `page.py` and what it shows.

`build(page)` draws it, `endpoints(app)` names the public functions that belong to it.
"""

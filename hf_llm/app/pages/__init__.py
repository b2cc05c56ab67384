"""A folder a page: page.py (layout and bindings), answers.py (handlers and endpoints), views.py (HTML), texts.yaml."""

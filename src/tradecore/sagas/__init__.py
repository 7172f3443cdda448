"""Process managers: what takes several orders, and must end well or be undone."""

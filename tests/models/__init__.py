"""Models: the gateway, its providers, budgets, and replay, over real sockets."""

"""The fault campaign: small stories over real HTTP and WebSocket, each struck by one fault that a seed chooses."""

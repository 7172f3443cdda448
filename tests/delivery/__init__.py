"""Delivery over real HTTP and WebSocket, against an exchange that misbehaves."""

"""What the library needs from outside, one Protocol per need. Adapters implement them; the library never sees an adapter."""

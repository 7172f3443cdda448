"""What the library needs from outside, one Protocol per need. The library never sees an adapter."""

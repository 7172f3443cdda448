"""The gate that every order passes inside the command that records it."""

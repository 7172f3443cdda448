"""What a change of history leaves behind, on real files."""

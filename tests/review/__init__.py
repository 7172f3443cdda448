"""Claims of a review, each with the test that was red before its fix."""

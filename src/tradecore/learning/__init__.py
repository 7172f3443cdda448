"""Learning: what became of decisions, how well their confidence was calibrated, and what follows for the next ones."""

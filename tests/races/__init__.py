"""Many at once on one ledger: nothing skipped, nothing given twice, no limit exceeded."""

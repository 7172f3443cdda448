"""Evidence about a ledger's history: following its chain, anchoring it outside, proving single events."""

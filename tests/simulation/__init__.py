"""The whole runner under one seed: virtual time, faults, and a judge that looks at every step."""

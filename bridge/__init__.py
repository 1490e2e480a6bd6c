"""What to do about it: merge, plan, guard, match, the ledger and the pass."""

"""The record: an append-only, hash-chained journal of facts, and the book of money folded from it."""

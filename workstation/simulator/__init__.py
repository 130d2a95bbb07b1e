"""A seeded market that looks like several venues quoting the same symbols."""

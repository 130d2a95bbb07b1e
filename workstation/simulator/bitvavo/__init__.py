"""The wire of Bitvavo, version 2."""

"""Frozen nouns: what things are, with no idea of how they come or go."""

"""Strategies: one file each. They import param and nothing else of the dashboard's world, and know no money and no venue."""

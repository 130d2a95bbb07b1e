"""Strategies: one file each. They import param and nothing else of HoloViz, and know no money and no venue."""

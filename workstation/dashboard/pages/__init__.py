"""One file for each page; every page answers one question, its title."""

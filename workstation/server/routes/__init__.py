"""One file for each noun; every handler asks Control in the engine's own loop."""

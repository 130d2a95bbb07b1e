"""The wire of Gate spot, version 4."""

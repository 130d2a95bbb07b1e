"""The seams: what the core needs of the world, as protocols that real and simulated parts fulfil."""

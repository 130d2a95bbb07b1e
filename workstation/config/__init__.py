"""Settings: what may be set, from one TOML file and the environment over it, and where each value came from."""

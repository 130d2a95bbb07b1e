"""What an engine says and is asked, and a client that says it over HTTP."""

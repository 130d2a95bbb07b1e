"""Reports: one back-test or replay as one HTML file, to keep, to send, to open without a network."""

"""Speed against peers, measured turn by turn in one process: only ratios count."""

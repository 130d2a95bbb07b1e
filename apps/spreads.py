"""Spreads: Where is the edge?  Started by: panel serve apps/*.py --plugins workstation.dashboard.plugin"""

from workstation.dashboard.plugin import page

page("spreads").servable()

"""Data: Can I trust the data?  Started by: panel serve apps/*.py --plugins workstation.dashboard.plugin"""

from workstation.dashboard.plugin import page

page("data").servable()

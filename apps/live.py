"""Live: What is it doing?  Started by: panel serve apps/*.py --plugins workstation.dashboard.plugin"""

from workstation.dashboard.plugin import page

page("live").servable()

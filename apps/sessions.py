"""Sessions: What runs?  Started by: panel serve apps/*.py --plugins workstation.dashboard.plugin"""

from workstation.dashboard.plugin import page

page("sessions").servable()

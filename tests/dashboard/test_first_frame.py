"""The document as it is sent: a bar without Bokeh, and nothing in it that could end its script."""

import json
import re

from bokeh.core.templates import MACROS
from bokeh.document import Document

from workstation.dashboard.first_frame import TEMPLATE, begin_with_frame

SCRIPTS = """<script type="esms-options">{}</script>
<script type="text/javascript" src="static/es-module-shims@^1.10.0/es-module-shims.min.js"></script>
<script type="text/javascript" src="static/js/bokeh.min.js?v=1"></script>
<script type="text/javascript" src="static/js/bokeh-gl.min.js"></script>
<script type="text/javascript" src="static/panel.min.js"></script>
<script>Bokeh.set_log_level("info")</script>"""
NAUGHTY = "</script><img src=x onerror=alert(1)>"


def rendered(**facts: object) -> str:
    document = Document()
    pages = [{"name": "live", "label": "Live", "key": "l"}, {"name": "spreads", "label": "Spreads", "key": "s"}]
    begin_with_frame(document, "spreads", {"pages": pages, **facts}, is_dark=True)
    page: str = TEMPLATE.render(document.template_variables, macros=MACROS, bokeh_js=SCRIPTS, docs=[], plot_script="")
    return page


def test_the_frame_comes_before_what_draws_the_page_and_stops_it_not() -> None:
    page = rendered()
    assert re.findall(r'<script([^>]*) src="([^"]+)"', page) == [
        (" defer", "static/js/bokeh.min.js?v=1"),
        (" defer", "static/panel.min.js"),
    ]
    assert page.index("<header>") < page.index("barOf(JSON.parse") < page.index("static/js/bokeh.min.js")
    assert re.findall(r'<a href="(\w+)"( aria-current="page")?>(\w+)</a>', page) == [
        ("live", "", "Live"),
        ("spreads", ' aria-current="page"', "Spreads"),
    ]


def test_no_word_of_a_venue_ends_the_script_it_stands_in() -> None:
    page = rendered(told={"problems": [NAUGHTY]})
    assert "<img src=x" not in page
    found = re.search(r'id="facts">(.*?)</script>', page, re.DOTALL)
    assert found is not None and json.loads(found[1])["told"]["problems"] == [NAUGHTY]

"""The topics of the event stream, from the enum that the stream knows."""

from sphinx.pycode import ModuleAnalyzer

from docs.site.markdown import code, plain, table
from workstation.client import messages
from workstation.client.messages import Topic


def text() -> str:
    """Every topic, with what stands beside it in the code."""
    notes = ModuleAnalyzer.for_module(messages.__name__).find_attr_docs()
    rows = [(code(topic), plain(" ".join(notes.get((Topic.__name__, topic.name), ())))) for topic in Topic]
    has_notes = any(note for _, note in rows)
    return table(("topic", "meaning"), rows) if has_notes else table(("topic",), [row[:1] for row in rows])

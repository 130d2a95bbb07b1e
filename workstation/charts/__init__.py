"""Charts: a table in, Bokeh elements out; what moves in them moves in the browser, and nothing is asked of Python."""

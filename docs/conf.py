"""The site of these documents: `make docs`. What a page leaves open is filled from the code (site/pages.py)."""

import os
import sys
from pathlib import Path

# without the compiler kernels are plain functions, which can be described
os.environ["NUMBA_DISABLE_JIT"] = "1"

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS.parent)]

from docs.site import docstrings, pages  # noqa: E402
from workstation import __version__  # noqa: E402

project = "workstation"
release = version = __version__
html_title = f"workstation {__version__}"

extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["build", "site"]
myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True, "undoc-members": True, "exclude-members": "model_config, name_in_cli"}
add_module_names = False
python_maximum_signature_line_length = 100

html_theme = "furo"
html_static_path = ["site/static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#3b5bdb", "color-brand-content": "#3b5bdb"},
    "dark_css_variables": {"color-brand-primary": "#91a7ff", "color-brand-content": "#91a7ff"},
}


def setup(app: object) -> None:
    """Pages are filled as they are read; docstrings, which are Markdown, are brought into Sphinx's form."""
    pages.connect(app)
    docstrings.connect(app)

"""``harness new-plugin``: a complete plugin package, written from the templates in this folder.

The templates are Jinja2; `harness.scaffold.writer` says which file each becomes.
"""

from harness.scaffold.writer import KINDS, NewPlugin, write_plugin

__all__ = ["KINDS", "NewPlugin", "write_plugin"]

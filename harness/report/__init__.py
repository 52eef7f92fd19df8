"""The report: tables and figures as HTML, Markdown and CSV."""

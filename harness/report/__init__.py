"""The report: tables and figures as HTML, Markdown, LaTeX and CSV."""

"""Results as they grow: what ``status --watch`` shows on a terminal and ``watch`` serves to a browser.

view.py         runs by what is to be said of them
document.py     the same as JSON, with its schema
pace.py         how often to look
looks.py        the newest look, for many who ask
report.py       the report, made again in the background as results change
page.py         the pages of the server
guard.py        what the server answers at all
application.py  the addresses of the server
server.py       the server, on loopback

Everything is read from the results folder, and nothing is written there.
"""

"""What people see: tables, live progress on a terminal, plain lines elsewhere.

words.py     numbers and durations as people read them
console.py   a terminal or not, and tables for both
board.py     the progress of a suite
progress.py  that progress drawn live, or printed line by line
"""

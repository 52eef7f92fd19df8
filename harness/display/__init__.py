"""What people see: tables, live progress on a terminal, plain lines elsewhere.

words.py     numbers and durations as people read them
console.py   a terminal or not, and tables for both
board.py     how a suite under way stands
progress.py  the board drawn live, or told line by line
"""

"""Carrying runs to the processes that train them."""

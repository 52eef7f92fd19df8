"""A player of MiniGrid that sees no more than an agent, and a copy of any level in the original package.

`world.Player` draws a map of what it has seen; `oracle.Oracle` plans on it what solves a task; `play.play` has oracles play a
batch of the harness's environments; `replay.replay` rebuilds a level from such a map in minigrid and repeats the actions.
"""

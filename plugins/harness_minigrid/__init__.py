"""MiniGrid's grid worlds through EnvPool's C++ batch."""

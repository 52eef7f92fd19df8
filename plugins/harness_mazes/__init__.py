"""Point and ant mazes with one goal: balls pushed by EnvPool's C++ threads, and ants of gymnasium-robotics."""

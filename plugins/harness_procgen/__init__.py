"""ProcGen games through EnvPool's C++ batch, or through the batch of the ``procgen`` package."""

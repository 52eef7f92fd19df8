"""The DeepMind Control Suite: from states in EnvPool's C++ batch, from pixels through dm_control's own renderer."""

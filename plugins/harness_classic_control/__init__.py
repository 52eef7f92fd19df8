"""Mountain cars through EnvPool's C++ batch: the smallest control tasks that dithering does not solve."""

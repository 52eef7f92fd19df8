"""Robot arms and hands that are paid for success only: Fetch, Adroit and MetaWorld through EnvPool's C++ batch."""

"""Lists of Gymnasium environments as one `harness.environments.base.HarnessVecEnv`, for families that no C++ batch steps.

A family wraps its environments into plain ones: observations are one array, and the last info of an episode may hold
``metrics``. `harness.environments.vector.batch.GymnasiumVecEnv` steps them in this process, or in others that write into
shared memory.
Nothing is imported here, so that those others need not load torch.
"""
